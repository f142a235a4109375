-- What was merged points to where; the journal says who did it, and holds the same pointer for as long as it holds.
ALTER TABLE accounts ADD COLUMN merged_into uuid;
ALTER TABLE contacts ADD COLUMN merged_into uuid;
CREATE TABLE merges (
    merge_id uuid NOT NULL PRIMARY KEY,
    kind text NOT NULL CONSTRAINT ck_merges_kind CHECK (kind IN ('account', 'contact')),
    survivor_id uuid NOT NULL,
    merged_id uuid NOT NULL,
    note text NOT NULL,
    merge_time bigint NOT NULL,
    merge_principal text NOT NULL,
    undo_time bigint,
    undo_principal text,
    undo_note text
);
CREATE UNIQUE INDEX uq_merges_active ON merges (merged_id) WHERE undo_time IS NULL;
CREATE INDEX ix_merges_survivor ON merges (survivor_id, merge_id);
CREATE INDEX ix_merges_merged ON merges (merged_id, merge_id);
