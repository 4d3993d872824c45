package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Attempt counts what somebody may do only so often, such as entering a wrong password.
// Package throttle says how.
type Attempt struct{ ent.Schema }

// Fields of Attempt.
func (Attempt) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable().
			Comment("A digest of what is counted: names and addresses don't stand here."),
		field.UUID("user_id", uuid.UUID{}).Optional().Nillable().Immutable().
			Comment("Of whom it is counted, so that it goes with the user; null where there is no user."),
		field.Time("last_at").
			Comment("When the last one was made."),
		field.Time("clear_at").
			Comment("When all will be forgotten. Its distance from now is how many there were."),
	}
}

// Edges of Attempt.
func (Attempt) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("attempts").Field("user_id").Unique().Immutable(),
	}
}

// Indexes of Attempt.
func (Attempt) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id"), index.Fields("clear_at")}
}
