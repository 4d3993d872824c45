// Package schema holds the tables. It is the only part of ent that is written
// by hand.
//
// Two rules keep secrets out of the API, because gqlgen binds a GraphQL field to
// the Go field of the same name: a sealed column is named …_sealed and an
// object's key …_key, so neither can be served without a resolver; and every
// such column is Sensitive, so printing a row doesn't show it.
//
// Times have no default: the services set them from the clock that their tests
// own, in UTC and to the microsecond, since PostgreSQL keeps no more.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// User is a person to the application.
type User struct{ ent.Schema }

// Fields of User.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(uuid.New).Immutable(),
		field.String("name").
			Comment("As the user writes it, normalised by package username."),
		field.String("name_key").Unique().Sensitive().
			Comment("What names are compared by. Its unique index decides who has a name."),
		field.String("password_hash").Sensitive().
			Comment("Argon2id in PHC string format."),
		field.Int("password_version").Default(1).
			Comment("Grows with every change of the password, so that what was done with an old one comes to nothing; not when the same is hashed anew."),
		field.String("avatar_key").Optional().Nillable().Sensitive().
			Comment("Key of the largest stored square; null while the picture is the generated one."),
		field.Bytes("real_name_sealed").Optional().Sensitive(),
		field.Bytes("id_card_sealed").Optional().Sensitive().
			Comment("Null until the verification is saved; then never written again."),
		field.Time("verification_saved_at").Optional().Nillable(),
		field.Time("created_at").Immutable(),
		field.Time("updated_at"),
	}
}

// Edges of User. What hangs on a user goes with the user.
func (User) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("sessions", Session.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("events", Event.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("recovery_codes", RecoveryCode.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("attempts", Attempt.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}
