CREATE TABLE consents (
    consent_id uuid NOT NULL,
    contact_id uuid NOT NULL CONSTRAINT fk_consents_contact REFERENCES contacts (contact_id),
    channels jsonb NOT NULL,
    purpose text NOT NULL,
    state text NOT NULL CONSTRAINT ck_consents_state CHECK (state IN ('granted', 'withdrawn')),
    basis text CONSTRAINT ck_consents_basis CHECK (basis IN ('consent', 'contract', 'legitimate_interest')),
    source text NOT NULL,
    proof text NOT NULL,
    imported boolean NOT NULL,
    from_activity boolean NOT NULL,
    occur_time bigint NOT NULL,
    record_time bigint NOT NULL,
    principal text NOT NULL,
    -- What is said of contacts that were merged is said of each.
    CONSTRAINT uq_consents PRIMARY KEY (consent_id, contact_id)
);
CREATE INDEX ix_consents_contact ON consents (contact_id, occur_time, consent_id);
