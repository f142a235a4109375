//! Bugs that are planted on purpose, so that the checks of `tests/chaos` can be seen to find them. They are there with
//! the feature `plants` only; without it [`is`] is a constant `false`, and the compiler leaves nothing of them.

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// The ledger answers before it commits.
    AckBeforeCommit,
    /// Scoring counts an activity that comes again once more.
    InboxOff,
    /// Some events are never written into the outbox.
    SkipOutboxRow,
    /// Points do not fade.
    DecayOff,
    /// A hand-over is offered twice, and the index that forbids it is none.
    DoubleOffer,
    /// The conditions of territories are passed over.
    WrongTerritory,
    /// A hand-over for which nobody is free is forgotten.
    DropHeld,
    /// The quarantine keeps nothing.
    DropQuarantine,
    /// The ledger has activities that nobody has sent.
    PhantomRow,
    /// Whoever is identified together is one person.
    Misidentify,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::AckBeforeCommit,
        Self::InboxOff,
        Self::SkipOutboxRow,
        Self::DecayOff,
        Self::DoubleOffer,
        Self::WrongTerritory,
        Self::DropHeld,
        Self::DropQuarantine,
        Self::PhantomRow,
        Self::Misidentify,
    ];

    /// What `LEADFLOW_PLANT` calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AckBeforeCommit => "ack-before-commit",
            Self::InboxOff => "inbox-off",
            Self::SkipOutboxRow => "skip-outbox-row",
            Self::DecayOff => "decay-off",
            Self::DoubleOffer => "double-offer",
            Self::WrongTerritory => "wrong-territory",
            Self::DropHeld => "drop-held",
            Self::DropQuarantine => "drop-quarantine",
            Self::PhantomRow => "phantom-row",
            Self::Misidentify => "misidentify",
        }
    }

    /// The plant of this name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plant| plant.as_str() == word)
    }
}

/// Whether this bug is planted.
#[cfg(not(feature = "plants"))]
pub const fn is(_: Plant) -> bool {
    false
}

/// Whether this bug is planted: what `LEADFLOW_PLANT` says.
#[cfg(feature = "plants")]
pub fn is(plant: Plant) -> bool {
    use std::sync::LazyLock;

    // A static, so that nothing has to be handed to where a bug is planted: the code must read as if there were none.
    static PLANTED: LazyLock<Option<Plant>> = LazyLock::new(|| {
        let vars = crate::vars::Vars::from_env();
        vars.get("LEADFLOW_PLANT").map(|word| Plant::from_word(word).expect("LEADFLOW_PLANT names a plant"))
    });
    *PLANTED == Some(plant)
}
