CREATE TABLE profile_fields (
    subject text NOT NULL CONSTRAINT ck_profile_fields_subject CHECK (subject IN ('account', 'contact')),
    name text NOT NULL,
    kind jsonb NOT NULL,
    description text NOT NULL,
    CONSTRAINT uq_profile_fields PRIMARY KEY (subject, name)
);
ALTER TABLE accounts ADD COLUMN profile jsonb NOT NULL DEFAULT '{}';
ALTER TABLE contacts ADD COLUMN profile jsonb NOT NULL DEFAULT '{}';
