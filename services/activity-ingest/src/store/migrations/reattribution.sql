-- How often an activity was moved to another account, and what may still be: what a person has done without one.
ALTER TABLE activities ADD COLUMN attribution bigint NOT NULL DEFAULT 0;
CREATE INDEX ix_activities_without_account ON activities (contact_id) WHERE account_id IS NULL AND contact_id IS NOT NULL;
CREATE INDEX ix_activities_reattributed ON activities (activity_id) WHERE attribution > 0;
