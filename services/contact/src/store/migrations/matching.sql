ALTER TABLE contacts ADD COLUMN street text NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN city text NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN region text NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN postal_code text NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN street text NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN city text NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN phones jsonb NOT NULL DEFAULT '[]';
CREATE TABLE match_keys (
    block bigint NOT NULL,
    owner_id uuid NOT NULL,
    CONSTRAINT uq_match_keys PRIMARY KEY (block, owner_id)
);
CREATE INDEX ix_match_keys_owner ON match_keys (owner_id);
CREATE TABLE match_reviews (
    review_id uuid NOT NULL PRIMARY KEY,
    subject text NOT NULL CONSTRAINT ck_match_reviews_subject CHECK (subject IN ('contact', 'account')),
    state text NOT NULL CONSTRAINT ck_match_reviews_state CHECK (state IN ('open', 'linked', 'distinct', 'automatic')),
    known_id uuid NOT NULL,
    other_id uuid,
    weight double precision NOT NULL,
    lines jsonb NOT NULL,
    create_time bigint NOT NULL,
    decide_time bigint,
    principal text NOT NULL,
    note text NOT NULL
);
CREATE UNIQUE INDEX uq_match_reviews_pair ON match_reviews (known_id, other_id) WHERE other_id IS NOT NULL;
CREATE INDEX ix_match_reviews_state ON match_reviews (state, review_id);
CREATE INDEX ix_match_reviews_known ON match_reviews (known_id);
CREATE INDEX ix_match_reviews_other ON match_reviews (other_id);
