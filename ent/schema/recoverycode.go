package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// RecoveryCode is what sets a new password for who has forgotten the old one, once: one
// of those that the user has made, or that of a link which an operator has.
type RecoveryCode struct{ ent.Schema }

// Fields of RecoveryCode.
func (RecoveryCode) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("user_id", uuid.UUID{}).Immutable(),
		field.Bytes("code_sha256").Immutable().Sensitive().
			Comment("SHA-256 of the code, which is too long to guess from it."),
		field.Time("created_at").Immutable(),
		field.Time("expires_at").Optional().Nillable().Immutable().
			Comment("When the link ends; null for the user's own codes, which don't."),
		field.Bool("by_operator").Default(false).Immutable().
			Comment("Whether it is that of a link."),
	}
}

// Edges of RecoveryCode.
func (RecoveryCode) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("recovery_codes").Field("user_id").Unique().Required().Immutable(),
	}
}

// Indexes of RecoveryCode.
func (RecoveryCode) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "code_sha256").Unique(), index.Fields("expires_at")}
}
