-- SQLite cannot change the check of a column: the table is made again, with one more state, and until when it can be left.
CREATE TABLE former_consents AS SELECT * FROM consents;
DROP TABLE consents;
CREATE TABLE consents (
    consent_id uuid NOT NULL,
    contact_id uuid NOT NULL CONSTRAINT fk_consents_contact REFERENCES contacts (contact_id),
    channels jsonb NOT NULL,
    purpose text NOT NULL,
    state text NOT NULL CONSTRAINT ck_consents_state CHECK (state IN ('pending', 'granted', 'withdrawn')),
    basis text CONSTRAINT ck_consents_basis CHECK (basis IN ('consent', 'contract', 'legitimate_interest')),
    source text NOT NULL,
    proof text NOT NULL,
    imported boolean NOT NULL,
    from_activity boolean NOT NULL,
    expire_time bigint,
    occur_time bigint NOT NULL,
    record_time bigint NOT NULL,
    principal text NOT NULL,
    -- What is said of contacts that were merged is said of each.
    CONSTRAINT uq_consents PRIMARY KEY (consent_id, contact_id)
);
INSERT INTO consents (consent_id, contact_id, channels, purpose, state, basis, source, proof, imported, from_activity,
    occur_time, record_time, principal)
SELECT consent_id, contact_id, channels, purpose, state, basis, source, proof, imported, from_activity, occur_time,
    record_time, principal
FROM former_consents;
DROP TABLE former_consents;
CREATE INDEX ix_consents_contact ON consents (contact_id, occur_time, consent_id);
