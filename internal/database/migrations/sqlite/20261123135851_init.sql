-- +goose Up
-- create "events" table
CREATE TABLE `events` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `kind` text NOT NULL, `at` datetime NOT NULL, `ip_address` text NULL, `user_agent` text NULL, `by_operator` bool NOT NULL DEFAULT (false), `user_id` uuid NOT NULL, CONSTRAINT `events_users_events` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE);
-- create index "event_user_id_at" to table: "events"
CREATE INDEX `event_user_id_at` ON `events` (`user_id`, `at`);
-- create "objects" table
CREATE TABLE `objects` (`key` text NOT NULL, `state` text NOT NULL DEFAULT ('pending'), `changed_at` datetime NOT NULL, PRIMARY KEY (`key`));
-- create index "object_state_changed_at" to table: "objects"
CREATE INDEX `object_state_changed_at` ON `objects` (`state`, `changed_at`);
-- create "sessions" table
CREATE TABLE `sessions` (`id` uuid NOT NULL, `token_sha256` blob NOT NULL, `ip_address` text NULL, `user_agent` text NULL, `created_at` datetime NOT NULL, `authenticated_at` datetime NOT NULL, `last_seen_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `user_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `sessions_users_sessions` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE);
-- create index "sessions_token_sha256_key" to table: "sessions"
CREATE UNIQUE INDEX `sessions_token_sha256_key` ON `sessions` (`token_sha256`);
-- create index "session_user_id" to table: "sessions"
CREATE INDEX `session_user_id` ON `sessions` (`user_id`);
-- create index "session_expires_at" to table: "sessions"
CREATE INDEX `session_expires_at` ON `sessions` (`expires_at`);
-- create "users" table
CREATE TABLE `users` (`id` uuid NOT NULL, `name` text NOT NULL, `name_key` text NOT NULL, `password_hash` text NOT NULL, `avatar_key` text NULL, `real_name_sealed` blob NULL, `id_card_sealed` blob NULL, `verification_saved_at` datetime NULL, `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "users_name_key_key" to table: "users"
CREATE UNIQUE INDEX `users_name_key_key` ON `users` (`name_key`);

-- +goose Down
-- reverse: create index "users_name_key_key" to table: "users"
DROP INDEX `users_name_key_key`;
-- reverse: create "users" table
DROP TABLE `users`;
-- reverse: create index "session_expires_at" to table: "sessions"
DROP INDEX `session_expires_at`;
-- reverse: create index "session_user_id" to table: "sessions"
DROP INDEX `session_user_id`;
-- reverse: create index "sessions_token_sha256_key" to table: "sessions"
DROP INDEX `sessions_token_sha256_key`;
-- reverse: create "sessions" table
DROP TABLE `sessions`;
-- reverse: create index "object_state_changed_at" to table: "objects"
DROP INDEX `object_state_changed_at`;
-- reverse: create "objects" table
DROP TABLE `objects`;
-- reverse: create index "event_user_id_at" to table: "events"
DROP INDEX `event_user_id_at`;
-- reverse: create "events" table
DROP TABLE `events`;
