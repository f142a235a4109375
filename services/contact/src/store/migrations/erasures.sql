-- Keyed hashes of what led to people who were erased: all that is kept of them, for good.
CREATE TABLE suppressions (
    digest bytea NOT NULL PRIMARY KEY,
    create_time bigint NOT NULL
);
CREATE TABLE erasures (
    erasure_id uuid NOT NULL PRIMARY KEY,
    contact_ids jsonb NOT NULL,
    -- What the services have to look for; gone when all have reported.
    person jsonb,
    reason text NOT NULL,
    principal text NOT NULL,
    create_time bigint NOT NULL,
    complete_time bigint
);
CREATE INDEX ix_erasures_open ON erasures (erasure_id) WHERE complete_time IS NULL;
CREATE TABLE erasure_steps (
    erasure_id uuid NOT NULL CONSTRAINT fk_erasure_steps_erasure REFERENCES erasures (erasure_id),
    service text NOT NULL,
    complete_time bigint,
    deleted bigint NOT NULL,
    PRIMARY KEY (erasure_id, service)
);
