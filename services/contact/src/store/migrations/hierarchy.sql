ALTER TABLE accounts ADD COLUMN parent_account_id uuid CONSTRAINT fk_accounts_parent REFERENCES accounts (account_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE accounts ADD COLUMN sites jsonb NOT NULL DEFAULT '[]';
CREATE INDEX ix_accounts_parent ON accounts (parent_account_id);
