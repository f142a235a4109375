CREATE TABLE product_categories (
    name text NOT NULL PRIMARY KEY,
    display_name text NOT NULL,
    parent text
);
CREATE TABLE scoring_models (
    version bigint NOT NULL PRIMARY KEY,
    content jsonb NOT NULL,
    publish_time bigint NOT NULL,
    publish_principal text NOT NULL
);
CREATE TABLE accounts (
    account_id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    revision bigint NOT NULL,
    wanted_revision bigint NOT NULL,
    due_time bigint
);
CREATE INDEX ix_accounts_due ON accounts (due_time) WHERE due_time IS NOT NULL;
CREATE TABLE account_revisions (
    account_id uuid NOT NULL,
    revision bigint NOT NULL,
    record_time bigint NOT NULL,
    facts jsonb NOT NULL,
    PRIMARY KEY (account_id, revision)
);
CREATE TABLE contact_revisions (
    contact_id uuid NOT NULL,
    revision bigint NOT NULL,
    account_id uuid,
    record_time bigint NOT NULL,
    facts jsonb NOT NULL,
    PRIMARY KEY (contact_id, revision)
);
CREATE TABLE evidence (
    activity_id uuid NOT NULL PRIMARY KEY,
    account_id uuid,
    contact_id uuid,
    source text COLLATE "C" NOT NULL,
    source_event_id text COLLATE "C" NOT NULL,
    activity_type text NOT NULL,
    channel text NOT NULL,
    product_category text,
    occur_time bigint NOT NULL,
    record_time bigint NOT NULL,
    object_id text,
    attributes jsonb,
    answers jsonb,
    reclassify_time bigint,
    disposition text NOT NULL CONSTRAINT ck_evidence_disposition CHECK (disposition IN
        ('scored', 'no_account', 'no_open_lead', 'no_rule', 'closed', 'reclassified'))
);
CREATE INDEX ix_evidence_account ON evidence (account_id, occur_time, source, source_event_id);
CREATE INDEX ix_evidence_answers ON evidence (account_id) WHERE answers IS NOT NULL;
CREATE TABLE leads (
    lead_id uuid NOT NULL PRIMARY KEY,
    account_id uuid NOT NULL,
    product_category text NOT NULL,
    round bigint NOT NULL,
    status text NOT NULL CONSTRAINT ck_leads_status CHECK (status IN
        ('incubating', 'handed_over', 'held', 'offered', 'accepted', 'closed')),
    status_reason text NOT NULL,
    band text NOT NULL CONSTRAINT ck_leads_band CHECK (band IN ('cold', 'warm', 'hot')),
    score_milli bigint NOT NULL,
    score_time bigint NOT NULL,
    next_check_time bigint,
    contacts bigint NOT NULL,
    channels bigint NOT NULL,
    valid_activities bigint NOT NULL,
    activities bigint NOT NULL,
    hand_over bigint NOT NULL,
    ready_time bigint,
    reject_time bigint,
    assignment_id uuid,
    assigned_rep text NOT NULL,
    open_time bigint NOT NULL,
    close_time bigint,
    close_reason text CONSTRAINT ck_leads_close_reason CHECK (close_reason IN
        ('won', 'lost', 'disqualified', 'merged', 'lapsed')),
    close_note text NOT NULL,
    model_version bigint NOT NULL,
    revision bigint NOT NULL
);
CREATE UNIQUE INDEX uq_leads_open ON leads (account_id, product_category) WHERE close_time IS NULL;
CREATE UNIQUE INDEX uq_leads_round ON leads (account_id, product_category, round);
CREATE INDEX ix_leads_score ON leads (score_milli, lead_id);
CREATE TABLE adjustments (
    adjustment_id uuid NOT NULL PRIMARY KEY,
    lead_id uuid NOT NULL,
    points_milli bigint NOT NULL,
    reason text NOT NULL,
    principal text NOT NULL,
    create_time bigint NOT NULL,
    expire_time bigint
);
CREATE INDEX ix_adjustments_lead ON adjustments (lead_id);
CREATE TABLE hand_overs (
    lead_id uuid NOT NULL,
    hand_over bigint NOT NULL,
    hand_over_time bigint NOT NULL,
    explanation jsonb NOT NULL,
    PRIMARY KEY (lead_id, hand_over)
);
