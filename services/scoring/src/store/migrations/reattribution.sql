-- How often the ledger has moved an activity to another account.
ALTER TABLE evidence ADD COLUMN attribution bigint NOT NULL DEFAULT 0;
CREATE INDEX ix_evidence_reattributed ON evidence (activity_id) WHERE attribution > 0;
