-- SQLite changes no constraint of a table that is there.
CREATE TABLE identities_before AS SELECT * FROM identities;
DROP TABLE identities;
CREATE TABLE identities (
    kind text NOT NULL CONSTRAINT ck_identities_kind CHECK (kind IN ('email', 'mobile', 'external_id', 'anonymous_id')),
    scope text NOT NULL,
    value text NOT NULL,
    contact_id uuid NOT NULL CONSTRAINT fk_identities_contact REFERENCES contacts (contact_id),
    CONSTRAINT uq_identities PRIMARY KEY (kind, scope, value)
);
INSERT INTO identities SELECT kind, scope, value, contact_id FROM identities_before;
DROP TABLE identities_before;
CREATE INDEX ix_identities_contact ON identities (contact_id);
ALTER TABLE contacts ADD COLUMN mobiles jsonb NOT NULL DEFAULT '[]';
