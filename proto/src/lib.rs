//! Leadflow's contract: the messages, services and events of `leadflow/**/*.proto`, compiled.
#![expect(missing_docs, reason = "the documentation stands in the protos, not on every generated item")]
#![expect(clippy::allow_attributes, reason = "the generated code is not ours to write")]

/// The encoded `FileDescriptorSet` of the whole contract, custom options included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// What all services share.
pub mod common {
    pub mod v1 {
        tonic::include_proto!("leadflow.common.v1");
    }
}

/// Who: accounts and contacts.
pub mod contact {
    pub mod v1 {
        tonic::include_proto!("leadflow.contact.v1");
    }
}

/// What happened: activities.
pub mod activity {
    pub mod v1 {
        tonic::include_proto!("leadflow.activity.v1");
    }
}

/// What it means: leads.
pub mod scoring {
    pub mod v1 {
        tonic::include_proto!("leadflow.scoring.v1");
    }
}

/// Who does what next: assignments.
pub mod routing {
    pub mod v1 {
        tonic::include_proto!("leadflow.routing.v1");
    }
}
