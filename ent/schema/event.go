package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Event is something that happened to a user: what, when and from where.
// Rows are only ever added, in the transaction of what they tell of.
type Event struct{ ent.Schema }

// Fields of Event.
func (Event) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("user_id", uuid.UUID{}).Immutable(),
		field.Enum("kind").Immutable().Values(
			"SIGNED_UP", "SIGNED_IN", "SIGNED_OUT", "REAUTHENTICATED",
			"NAME_CHANGED", "AVATAR_CHANGED", "AVATAR_REMOVED",
			"VERIFICATION_SAVED", "ID_CARD_READ",
		),
		field.Time("at").Immutable(),
		field.String("ip_address").Optional().Immutable(),
		field.String("user_agent").Optional().Immutable(),
		field.Bool("by_operator").Default(false).Immutable().
			Comment("Whether an operator of the server did it, not the user."),
	}
}

// Edges of Event.
func (Event) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("events").Field("user_id").Unique().Required().Immutable(),
	}
}

// Indexes of Event.
func (Event) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "at")}
}
