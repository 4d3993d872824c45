package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Event is something that happened to a user: what, when and from where. Rows are
// only ever added, in the transaction of what they tell of, and deleted when they are
// old or the user goes. What others can cause as often as they like, a sign-in that
// failed, is counted in a row that is there.
type Event struct{ ent.Schema }

// Fields of Event.
func (Event) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(newEventID).Immutable().
			Comment("Of version 7, so that ids are in the order of writing."),
		field.UUID("user_id", uuid.UUID{}).Optional().Nillable().Immutable().
			Comment("Null for a sign-in that failed by a name which no user has: it is recorded too, so that it takes as long."),
		field.Enum("kind").Immutable().Values(
			"SIGNED_UP", "SIGNED_IN", "SIGN_IN_FAILED", "SIGNED_OUT", "REAUTHENTICATED", "SESSION_REVOKED",
			"PASSWORD_CHANGED", "PASSWORD_RESET", "RECOVERY_CODES_CREATED", "RESET_LINK_CREATED",
			"NAME_CHANGED", "AVATAR_CHANGED", "AVATAR_REMOVED",
			"VERIFICATION_SAVED", "ID_CARD_READ", "DATA_EXPORTED",
		),
		field.Time("at").Immutable(),
		field.String("ip_address").Optional().Immutable(),
		field.String("user_agent").Optional().Immutable(),
		field.String("network").Optional().Nillable().Immutable().
			Comment("Of the client, by which it is told that the user has been signed in there; null where that shows nothing."),
		field.Bool("by_operator").Default(false).Immutable().
			Comment("Whether an operator of the server did it, not the user."),
		field.Int("count").Default(1).
			Comment("How often it happened; more than once for SIGN_IN_FAILED alone."),
	}
}

func newEventID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// Edges of Event.
func (Event) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("events").Field("user_id").Unique().Immutable(),
	}
}

// Indexes of Event.
func (Event) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "at"), index.Fields("user_id", "network"), index.Fields("at")}
}
