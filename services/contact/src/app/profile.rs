//! What a company declares of its accounts and contacts, and whether what is said of them is that.

use leadflow_platform::{Error, Result, db::Tx};
use serde_json::json;

use super::{App, configure::Change};
use crate::{
    domain::profile::{Field, Kind, MAX_FIELDS, Subject, Values, refusals},
    error,
    store::profile_fields,
};

impl App {
    /// The declared fields.
    pub(crate) async fn profile_fields(&self) -> Result<Vec<Field>> {
        profile_fields::all(self.database.reader()).await
    }

    /// Declares fields; those that are not named stay.
    pub(super) async fn declare(&self, tx: &Tx, wanted: Vec<Field>) -> Result<Vec<Change>> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        profile_fields::lock(tx).await?;
        let mut known = profile_fields::all(&**tx).await?;
        let (mut changes, mut changed) = (Vec::with_capacity(wanted.len()), Vec::new());
        for (index, field) in wanted.into_iter().enumerate() {
            let same = |known: &Field| (known.subject, &known.name) == (field.subject, &field.name);
            let before = known.iter().position(same).map(|at| known.remove(at));
            if let Some(before) = before.as_ref().filter(|before| !before.kind.is_like(&field.kind)) {
                return Err(error::other_type(&format!("profile_fields[{index}].type"), &before.kind.described()));
            }
            changes.push(Change {
                kind: "ProfileField".to_owned(),
                name: format!("{}.{}", field.subject.as_str(), field.name),
                before: before.as_ref().map(shown),
                after: shown(&field),
            });
            known.push(field.clone());
            if before.as_ref() != Some(&field) {
                changed.push(field);
            }
        }
        for subject in [Subject::Account, Subject::Contact] {
            if known.iter().filter(|field| field.subject == subject).count() > MAX_FIELDS {
                return Err(error::too_many("profile_fields", MAX_FIELDS));
            }
        }
        profile_fields::save(tx, &changed).await?;
        Ok(changes)
    }

    /// Makes sure that what is new in a profile is declared and of its type. `field` is where the profile stands in the
    /// request.
    pub(super) async fn check_profile(
        &self,
        tx: &Tx,
        subject: Subject,
        (before, wanted): (&Values, &Values),
        field: &str,
    ) -> Result<()> {
        if before == wanted || wanted.is_empty() {
            return Ok(());
        }
        let refused = refusals(&profile_fields::all(&**tx).await?, subject, before, wanted);
        let errors = refused.iter().map(|(name, refusal)| error::of_profile(&format!("{field}.{name}"), refusal));
        errors.reduce(Error::and).map_or(Ok(()), Err)
    }
}

fn shown(field: &Field) -> serde_json::Value {
    let (kind, allowed) = match &field.kind {
        Kind::String => ("string", None),
        Kind::Number => ("number", None),
        Kind::Bool => ("bool", None),
        Kind::Enum(allowed) => ("enum", Some(allowed)),
    };
    let mut shown = json!({ "type": kind, "description": field.description });
    if let Some(allowed) = allowed {
        shown["allowed_values"] = json!(allowed);
    }
    shown
}
