package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// HeldName is a name that nobody may take for a while: that of a user who was deleted.
type HeldName struct{ ent.Schema }

// Fields of HeldName.
func (HeldName) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable().
			Comment("SHA-256 of the name's key, in hexadecimal: of who was deleted, the name doesn't stay."),
		field.Time("until"),
	}
}

// Indexes of HeldName.
func (HeldName) Indexes() []ent.Index {
	return []ent.Index{index.Fields("until")}
}
