-- `merged_into` is what contact says; `survivor_id` is what follows from all of that: the one that counts. Rows of accounts
-- that are one are `joined`, the survivor's own too, so that whoever locks one sees that there are more.
ALTER TABLE accounts ADD COLUMN merged_into uuid;
ALTER TABLE accounts ADD COLUMN survivor_id uuid;
ALTER TABLE accounts ADD COLUMN joined boolean NOT NULL DEFAULT FALSE;
CREATE INDEX ix_accounts_joined ON accounts (account_id) WHERE joined;
CREATE INDEX ix_accounts_survivor ON accounts (survivor_id, account_id) WHERE survivor_id IS NOT NULL;
-- Contacts that are or were merged.
CREATE TABLE contact_merges (
    contact_id uuid NOT NULL PRIMARY KEY,
    revision bigint NOT NULL,
    merged_into uuid,
    survivor_id uuid
);
CREATE INDEX ix_contact_merges_survivor ON contact_merges (survivor_id, contact_id) WHERE survivor_id IS NOT NULL;
-- Of a lead that was closed as merged: the one that it was joined with. Of another closed one: the accounts that were one
-- by then, whose activities it has ended.
ALTER TABLE leads ADD COLUMN merged_into uuid;
ALTER TABLE leads ADD COLUMN sides jsonb;
