package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Session is one sign-in of a user. It refers to the user's id, never to the
// name, so a rename can't outdate it.
type Session struct{ ent.Schema }

// Fields of Session.
func (Session) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(uuid.New).Immutable(),
		field.Bytes("token_sha256").Unique().Sensitive().
			Comment("SHA-256 of the token: a copy of the database opens no session."),
		field.UUID("user_id", uuid.UUID{}).Immutable(),
		field.String("ip_address").Optional().Immutable(),
		field.String("user_agent").Optional().Immutable(),
		field.Time("created_at").Immutable(),
		field.Time("authenticated_at").
			Comment("When the password was last entered in this session."),
		field.Time("last_seen_at").
			Comment("To the minute, so that a request rarely writes."),
		field.Time("expires_at").Immutable().
			Comment("The absolute end, however much the session is used."),
	}
}

// Edges of Session.
func (Session) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("sessions").Field("user_id").Unique().Required().Immutable(),
	}
}

// Indexes of Session.
func (Session) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id"), index.Fields("expires_at"), index.Fields("last_seen_at")}
}
