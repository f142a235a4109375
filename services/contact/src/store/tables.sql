CREATE TABLE accounts (
    account_id uuid NOT NULL PRIMARY KEY,
    reference text,
    name text NOT NULL,
    sort_name text COLLATE "C" NOT NULL,
    country text NOT NULL,
    region text NOT NULL,
    postal_code text NOT NULL,
    industry text NOT NULL,
    employees bigint,
    revenue bigint,
    relation text NOT NULL CONSTRAINT ck_accounts_relation CHECK (relation IN ('prospect', 'customer', 'former_customer')),
    owner_rep text NOT NULL,
    revision bigint NOT NULL,
    create_time bigint NOT NULL,
    update_time bigint NOT NULL
);
CREATE UNIQUE INDEX uq_accounts_reference ON accounts (reference);
CREATE INDEX ix_accounts_sort_name ON accounts (sort_name, account_id);
CREATE TABLE account_keys (
    kind text NOT NULL CONSTRAINT ck_account_keys_kind CHECK (kind IN ('domain', 'name')),
    value text NOT NULL,
    country text NOT NULL,
    account_id uuid NOT NULL CONSTRAINT fk_account_keys_account REFERENCES accounts (account_id),
    CONSTRAINT uq_account_keys PRIMARY KEY (kind, value, country)
);
CREATE INDEX ix_account_keys_account ON account_keys (account_id);
CREATE TABLE contacts (
    contact_id uuid NOT NULL PRIMARY KEY,
    account_id uuid CONSTRAINT fk_contacts_account REFERENCES accounts (account_id),
    given_name text NOT NULL,
    family_name text NOT NULL,
    job_title text NOT NULL,
    emails jsonb NOT NULL,
    phones jsonb NOT NULL,
    role text NOT NULL,
    function text NOT NULL,
    seniority text NOT NULL,
    stage text NOT NULL,
    country text NOT NULL,
    revision bigint NOT NULL,
    create_time bigint NOT NULL,
    update_time bigint NOT NULL
);
CREATE INDEX ix_contacts_account ON contacts (account_id, contact_id);
CREATE TABLE identities (
    kind text NOT NULL CONSTRAINT ck_identities_kind CHECK (kind IN ('email', 'external_id', 'anonymous_id')),
    scope text NOT NULL,
    value text NOT NULL,
    contact_id uuid NOT NULL CONSTRAINT fk_identities_contact REFERENCES contacts (contact_id),
    CONSTRAINT uq_identities PRIMARY KEY (kind, scope, value)
);
CREATE INDEX ix_identities_contact ON identities (contact_id);
CREATE TABLE contact_phones (
    phone text NOT NULL,
    contact_id uuid NOT NULL CONSTRAINT fk_contact_phones_contact REFERENCES contacts (contact_id),
    PRIMARY KEY (phone, contact_id)
);
