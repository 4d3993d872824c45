-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_objects" table
CREATE TABLE `new_objects` (`key` text NOT NULL, `state` text NOT NULL DEFAULT ('pending'), `changed_at` datetime NOT NULL, `failures` integer NOT NULL DEFAULT (0), `retry_at` datetime NULL, PRIMARY KEY (`key`));
-- copy rows from old table "objects" to new temporary table "new_objects"
INSERT INTO `new_objects` (`key`, `state`, `changed_at`) SELECT `key`, `state`, `changed_at` FROM `objects`;
-- drop "objects" table after copying rows
DROP TABLE `objects`;
-- rename temporary table "new_objects" to "objects"
ALTER TABLE `new_objects` RENAME TO `objects`;
-- create index "object_state_changed_at" to table: "objects"
CREATE INDEX `object_state_changed_at` ON `objects` (`state`, `changed_at`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "object_state_changed_at" to table: "objects"
DROP INDEX `object_state_changed_at`;
-- reverse: create "new_objects" table
DROP TABLE `new_objects`;
