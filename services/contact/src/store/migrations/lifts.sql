-- Which hashes are of one person, so that all of them are let in again together.
ALTER TABLE suppressions ADD COLUMN erasure_id uuid CONSTRAINT fk_suppressions_erasure REFERENCES erasures (erasure_id);
ALTER TABLE erasures ADD COLUMN lift_time bigint;
ALTER TABLE erasures ADD COLUMN lift_principal text;
ALTER TABLE erasures ADD COLUMN lift_reason text;
