//! Tests of `deploy/`; there is nothing here but them.
