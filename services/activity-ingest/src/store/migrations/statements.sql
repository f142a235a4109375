-- The activities whose statement about contacting the person is announced. What they say stands with them.
CREATE TABLE announced_statements (
    activity_id uuid NOT NULL PRIMARY KEY
);
