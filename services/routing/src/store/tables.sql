CREATE TABLE configurations (
    version bigint NOT NULL PRIMARY KEY,
    create_time bigint NOT NULL,
    principal text NOT NULL,
    content jsonb NOT NULL
);
CREATE TABLE pool_balances (
    pool text NOT NULL,
    rep text NOT NULL,
    balance double precision NOT NULL,
    offered bigint NOT NULL,
    PRIMARY KEY (pool, rep)
);
CREATE TABLE leads (
    lead_id uuid NOT NULL PRIMARY KEY,
    revision bigint NOT NULL,
    account jsonb NOT NULL,
    product_category text NOT NULL,
    score_milli bigint NOT NULL,
    round bigint NOT NULL,
    hand_over bigint NOT NULL,
    close_reason text CONSTRAINT ck_leads_close_reason CHECK (close_reason IN
        ('won', 'lost', 'disqualified', 'merged', 'lapsed'))
);
CREATE TABLE hand_overs (
    lead_id uuid NOT NULL,
    hand_over bigint NOT NULL,
    state text NOT NULL CONSTRAINT ck_hand_overs_state CHECK (state IN
        ('held', 'assigned', 'rejected', 'closed')),
    reason text CONSTRAINT ck_hand_overs_reason CHECK (reason IN
        ('no_eligible_rep', 'no_configuration', 'lead_closed', 'superseded')),
    deadline_time bigint,
    assignment_id uuid,
    create_time bigint NOT NULL,
    trace jsonb,
    PRIMARY KEY (lead_id, hand_over)
);
CREATE INDEX ix_hand_overs_held ON hand_overs (create_time, lead_id, hand_over) WHERE state = 'held';
CREATE TABLE assignments (
    assignment_id uuid NOT NULL PRIMARY KEY,
    lead_id uuid NOT NULL,
    hand_over bigint NOT NULL,
    account_id uuid NOT NULL,
    account_name text NOT NULL,
    product_category text NOT NULL,
    rep text NOT NULL,
    territory text,
    pool text,
    state text NOT NULL CONSTRAINT ck_assignments_state CHECK (state IN
        ('offered', 'accepted', 'rejected', 'expired', 'withdrawn', 'completed')),
    offer_time bigint NOT NULL,
    decide_time bigint,
    reason text NOT NULL,
    note text NOT NULL,
    principal text NOT NULL,
    revision bigint NOT NULL
);
CREATE UNIQUE INDEX uq_assignments_live ON assignments (lead_id) WHERE state IN ('offered', 'accepted');
CREATE INDEX ix_assignments_live_rep ON assignments (rep) WHERE state IN ('offered', 'accepted');
CREATE INDEX ix_assignments_offer_time ON assignments (offer_time, assignment_id);
CREATE INDEX ix_assignments_rep ON assignments (rep, offer_time, assignment_id);
CREATE INDEX ix_assignments_lead ON assignments (lead_id, offer_time, assignment_id);
