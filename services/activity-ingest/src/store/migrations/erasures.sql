-- What people who were erased have done, as numbers. `month` is `2026-11`, of the time when it happened.
CREATE TABLE erased_totals (
    month text NOT NULL,
    source text NOT NULL,
    activity_type text NOT NULL,
    channel text NOT NULL,
    product_category text NOT NULL,
    activities bigint NOT NULL,
    PRIMARY KEY (month, source, activity_type, channel, product_category)
);
-- Activities that are deleted, until their events are deleted too.
CREATE TABLE erased_activities (
    activity_id uuid NOT NULL PRIMARY KEY,
    erasure_id uuid NOT NULL
);
CREATE INDEX ix_erased_activities_erasure ON erased_activities (erasure_id);
