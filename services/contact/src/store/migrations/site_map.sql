CREATE TABLE site_map_facts (
    fact_id uuid NOT NULL PRIMARY KEY,
    account_id uuid NOT NULL CONSTRAINT fk_site_map_facts_account REFERENCES accounts (account_id),
    kind text NOT NULL CONSTRAINT ck_site_map_facts_kind CHECK (kind IN ('player', 'budget', 'buying_process', 'requirement', 'incumbent', 'note')),
    product_category text NOT NULL,
    content text NOT NULL,
    role text CONSTRAINT ck_site_map_facts_role CHECK (role IN ('decision_maker', 'champion', 'influencer', 'user', 'gatekeeper')),
    contact_id uuid,
    player_name text NOT NULL,
    job_title text NOT NULL,
    amount bigint,
    confidence integer NOT NULL CONSTRAINT ck_site_map_facts_confidence CHECK (confidence BETWEEN 1 AND 100),
    source text NOT NULL,
    said_by_contact_id uuid,
    said_by text NOT NULL,
    observe_time bigint NOT NULL,
    principal text NOT NULL,
    create_time bigint NOT NULL,
    retract_reason text,
    retract_principal text,
    retract_time bigint
);
CREATE INDEX ix_site_map_facts_account ON site_map_facts (account_id, fact_id);
CREATE INDEX ix_site_map_facts_contact ON site_map_facts (contact_id);
CREATE INDEX ix_site_map_facts_said_by ON site_map_facts (said_by_contact_id);
