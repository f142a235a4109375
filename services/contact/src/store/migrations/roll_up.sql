ALTER TABLE accounts ADD COLUMN roll_up boolean NOT NULL DEFAULT FALSE
    CONSTRAINT ck_accounts_roll_up CHECK (NOT roll_up OR parent_account_id IS NOT NULL);
