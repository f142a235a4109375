ALTER TABLE contacts ADD COLUMN left_account_ids jsonb NOT NULL DEFAULT '[]';
