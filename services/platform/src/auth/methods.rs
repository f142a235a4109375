//! What the contract says of each method: its scope, and whether it changes anything.

use std::{collections::HashMap, sync::Arc};

use prost_reflect::{DescriptorPool, Value};

use crate::error::{Error, Result};

/// What a caller needs to use one method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// The scope that the token must hold.
    pub scope: String,
    /// Whether it changes something, so that somebody has to answer for it.
    pub mutation: bool,
}

/// All methods of the contract by their path, for example `/leadflow.contact.v1.ContactService/GetAccount`.
#[derive(Clone, Debug)]
pub struct Methods(Arc<HashMap<String, Method>>);

impl Methods {
    /// Reads the descriptors of the contract.
    ///
    /// # Errors
    /// `INTERNAL` when they are none.
    pub fn read(descriptors: &[u8]) -> Result<Self> {
        let pool = DescriptorPool::decode(descriptors)
            .map_err(|cause| Error::internal("the contract has no descriptors").because(cause))?;
        let scope = pool
            .get_extension_by_name("leadflow.common.v1.scope")
            .ok_or_else(|| Error::internal("the contract has no scope option"))?;
        let mut methods = HashMap::new();
        for service in pool.services() {
            for method in service.methods() {
                let options = method.options();
                let Value::String(scope) = options.get_extension(&scope).into_owned() else {
                    continue;
                };
                if scope.is_empty() {
                    continue;
                }
                let reads = options
                    .get_field_by_name("idempotency_level")
                    .is_some_and(|level| level.as_enum_number() == Some(1));
                let path = format!("/{}/{}", service.full_name(), method.name());
                methods.insert(path, Method { scope, mutation: !reads });
            }
        }
        Ok(Self(Arc::new(methods)))
    }

    /// The method at `path`, when the contract lets anybody use it.
    pub fn get(&self, path: &str) -> Option<&Method> {
        self.0.get(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_contract_has_a_scope_and_reads_are_told_from_mutations() {
        let methods = Methods::read(leadflow_proto::DESCRIPTORS).unwrap();
        let pool = DescriptorPool::decode(leadflow_proto::DESCRIPTORS).unwrap();
        let all: usize = pool.services().map(|service| service.methods().len()).sum();
        assert_eq!(methods.0.len(), all);
        assert!(!methods.get("/leadflow.contact.v1.ContactService/GetAccount").unwrap().mutation);
        assert!(methods.get("/leadflow.contact.v1.ContactService/UpdateAccount").unwrap().mutation);
        assert_eq!(methods.get("/leadflow.contact.v1.ContactService/Nothing"), None);
    }
}
