CREATE INDEX ix_accounts_merged ON accounts (account_id) WHERE merged_into IS NOT NULL;
