//! The bugs that can be compiled in, and the counter that each has to turn red.

/// By name: the switch in the binary, and the counter.
const PLANTS: [(&str, &str); 10] = [
    ("ack-before-commit", "lost"),
    ("skip-outbox-row", "lost"),
    ("drop-quarantine", "lost"),
    ("inbox-off", "duplicate_effects"),
    ("misidentify", "duplicate_effects"),
    ("decay-off", "score_mismatches"),
    ("drop-held", "unrouted"),
    ("double-offer", "double_assigned"),
    ("wrong-territory", "misrouted"),
    ("phantom-row", "unexplained"),
];

/// The counter that a bug has to turn red.
pub(crate) fn counter(plant: &str) -> Option<&'static str> {
    PLANTS.iter().find(|(name, _)| *name == plant).map(|(_, counter)| *counter)
}

/// The names of all bugs.
pub(crate) fn names() -> Vec<&'static str> {
    PLANTS.iter().map(|(name, _)| *name).collect()
}
