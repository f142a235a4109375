-- The leads that were handed over or closed while more accounts than their own were one, by each of these: the closing has
-- ended what they all did, and the frozen lines are of all. It stays so when the accounts are taken apart.
CREATE TABLE lead_sides (
    account_id uuid NOT NULL,
    lead_id uuid NOT NULL,
    PRIMARY KEY (account_id, lead_id)
);
