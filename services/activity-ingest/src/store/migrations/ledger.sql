CREATE TABLE activities (
    activity_id uuid NOT NULL PRIMARY KEY,
    source text NOT NULL,
    source_event_id text NOT NULL,
    activity_type text NOT NULL,
    channel text NOT NULL
        CHECK (channel IN ('web', 'email', 'phone', 'event', 'meeting', 'mail', 'chat', 'other')),
    product_category text,
    occur_time bigint NOT NULL,
    record_time bigint NOT NULL,
    object_id text,
    payload jsonb NOT NULL,
    content_digest bytea NOT NULL,
    derived boolean NOT NULL,
    contact_id uuid,
    account_id uuid,
    account_revision bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'identified', 'quarantined')),
    attempts integer NOT NULL,
    next_attempt_time bigint,
    error_reason text,
    error_message text,
    principal text NOT NULL
);

CREATE UNIQUE INDEX uq_activities_source_event ON activities (source, source_event_id);
CREATE INDEX ix_activities_account ON activities (account_id, activity_id);
CREATE INDEX ix_activities_contact ON activities (contact_id, activity_id);
-- What waits, what was set aside and what came without an id is little: these stay small while the ledger grows.
CREATE INDEX ix_activities_pending ON activities (activity_id) WHERE state = 'pending';
CREATE INDEX ix_activities_quarantined ON activities (activity_id) WHERE state = 'quarantined';
CREATE INDEX ix_activities_derived ON activities (source, content_digest, record_time) WHERE derived;

CREATE TABLE sources (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    display_name text NOT NULL,
    default_activity_type text NOT NULL,
    default_channel text NOT NULL,
    default_product_category text,
    consent jsonb,
    fields jsonb NOT NULL,
    redirect_url text
);

CREATE TABLE product_categories (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    display_name text NOT NULL,
    parent text
);
