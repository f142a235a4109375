-- The activities that asked for a consent which the person has to confirm, until that is done. What they say stands with
-- them.
CREATE TABLE pending_confirmations (
    activity_id uuid NOT NULL PRIMARY KEY,
    expire_time bigint NOT NULL
);
CREATE INDEX ix_pending_confirmations_expire ON pending_confirmations (expire_time);
