package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Object is one object of the store, known to the database before its bytes are
// written and until after they are deleted, so that no crash leaves an object
// that nobody knows of.
//
//	pending ──→ live ──→ stale ──→ (deleted from the store, then the row)
//	   └───────────────────┘ when its upload never finished
type Object struct{ ent.Schema }

// Fields of Object.
func (Object) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").StorageKey("key").Immutable(),
		field.Enum("state").Values("pending", "live", "stale").Default("pending"),
		field.Time("changed_at").
			Comment("When it last became pending, live or unreferenced; one that the sweeper claims keeps the time of its upload."),
		field.Int("failures").Default(0).
			Comment("How often its deletion from the store has failed."),
		field.Time("retry_at").Optional().Nillable().
			Comment("Before that, its deletion is not tried again; null when none has failed."),
	}
}

// Indexes of Object.
func (Object) Indexes() []ent.Index {
	return []ent.Index{index.Fields("state", "changed_at")}
}
