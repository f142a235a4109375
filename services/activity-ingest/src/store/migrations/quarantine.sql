-- What could not be recorded, kept until somebody decides. `door` has no CHECK: doors are added, and the code knows them.
CREATE TABLE quarantined_activities (
    quarantine_id uuid NOT NULL PRIMARY KEY,
    door text,
    source text NOT NULL,
    record_time bigint NOT NULL,
    last_receive_time bigint NOT NULL,
    receive_count bigint NOT NULL,
    reason text NOT NULL,
    message text NOT NULL,
    fields jsonb NOT NULL,
    activity bytea,
    raw bytea,
    content_size bigint NOT NULL,
    content_digest bytea,
    principal text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'replayed', 'discarded')),
    revision bigint NOT NULL,
    activity_id uuid,
    resolve_principal text,
    resolve_time bigint,
    resolve_note text
);

-- A content that comes again is kept once. What was set aside in the ledger has no door, and its activity's id as its own.
CREATE UNIQUE INDEX uq_quarantined_activities_content ON quarantined_activities (door, source, content_digest);
CREATE INDEX ix_quarantined_activities_open ON quarantined_activities (quarantine_id) WHERE state = 'open';

INSERT INTO quarantined_activities (
    quarantine_id, source, record_time, last_receive_time, receive_count, reason, message, fields, content_size,
    principal, state, revision, activity_id
)
SELECT activity_id, source, record_time, record_time, 1, coalesce(error_reason, 'UPSTREAM_REFUSED'),
    coalesce(error_message, ''), '[]', 0, principal, 'open', 1, activity_id
FROM activities
WHERE state = 'quarantined';
