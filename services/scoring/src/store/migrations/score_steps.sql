-- Ten points each, towards zero. What lies within a step is sorted when it is read.
ALTER TABLE leads ADD COLUMN score_step bigint GENERATED ALWAYS AS (score_milli / 10000) STORED;
DROP INDEX ix_leads_score;
CREATE INDEX ix_leads_score ON leads (score_step);
-- What happened at the same time is sorted when it is read.
DROP INDEX ix_evidence_account;
CREATE INDEX ix_evidence_account ON evidence (account_id, occur_time);
