-- +goose Up
-- create "new_events" table
CREATE TABLE `new_events` (`id` uuid NOT NULL, `kind` text NOT NULL, `at` datetime NOT NULL, `ip_address` text NULL, `user_agent` text NULL, `network` text NULL, `by_operator` bool NOT NULL DEFAULT (false), `count` integer NOT NULL DEFAULT (1), `user_id` uuid NULL, PRIMARY KEY (`id`), CONSTRAINT `events_users_events` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE);
-- copy rows from old table "events" to new temporary table "new_events"; ids become UUIDs in
-- the same order, before all that are made from now on, and the network of an address of IPv4 is
-- told from it
INSERT INTO `new_events` (`id`, `kind`, `at`, `ip_address`, `user_agent`, `network`, `by_operator`, `user_id`) SELECT printf('00000000-0000-7000-8000-%012x', `id`), `kind`, `at`, `ip_address`, `user_agent`, CASE WHEN `ip_address` LIKE '%.%' AND `ip_address` NOT LIKE '%:%' THEN `ip_address` || '/32' END, `by_operator`, `user_id` FROM `events`;
-- drop "events" table after copying rows
DROP TABLE `events`;
-- rename temporary table "new_events" to "events"
ALTER TABLE `new_events` RENAME TO `events`;
-- create index "event_user_id_at" to table: "events"
CREATE INDEX `event_user_id_at` ON `events` (`user_id`, `at`);
-- create index "event_user_id_network" to table: "events"
CREATE INDEX `event_user_id_network` ON `events` (`user_id`, `network`);
-- create index "event_at" to table: "events"
CREATE INDEX `event_at` ON `events` (`at`);
-- create index "session_last_seen_at" to table: "sessions"
CREATE INDEX `session_last_seen_at` ON `sessions` (`last_seen_at`);
-- add column "password_version" to table: "users"; never by a new table: dropping the
-- old one would delete what refers to it, since within a transaction foreign keys stay on
ALTER TABLE `users` ADD COLUMN `password_version` integer NOT NULL DEFAULT 1;
-- create "attempts" table
CREATE TABLE `attempts` (`id` text NOT NULL, `last_at` datetime NOT NULL, `clear_at` datetime NOT NULL, `user_id` uuid NULL, PRIMARY KEY (`id`), CONSTRAINT `attempts_users_attempts` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE);
-- create index "attempt_user_id" to table: "attempts"
CREATE INDEX `attempt_user_id` ON `attempts` (`user_id`);
-- create index "attempt_clear_at" to table: "attempts"
CREATE INDEX `attempt_clear_at` ON `attempts` (`clear_at`);
-- create "held_names" table
CREATE TABLE `held_names` (`id` text NOT NULL, `until` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "heldname_until" to table: "held_names"
CREATE INDEX `heldname_until` ON `held_names` (`until`);
-- create "recovery_codes" table
CREATE TABLE `recovery_codes` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `code_sha256` blob NOT NULL, `created_at` datetime NOT NULL, `expires_at` datetime NULL, `by_operator` bool NOT NULL DEFAULT (false), `user_id` uuid NOT NULL, CONSTRAINT `recovery_codes_users_recovery_codes` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE);
-- create index "recoverycode_user_id_code_sha256" to table: "recovery_codes"
CREATE UNIQUE INDEX `recoverycode_user_id_code_sha256` ON `recovery_codes` (`user_id`, `code_sha256`);
-- create index "recoverycode_expires_at" to table: "recovery_codes"
CREATE INDEX `recoverycode_expires_at` ON `recovery_codes` (`expires_at`);
