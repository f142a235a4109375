//! End-to-end tests: the whole suite, from a door to the assigned rep. See `tests/it`.
