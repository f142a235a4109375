use leadflow_proto::contact::v1 as contact;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileField {
    #[serde(rename = "kind")]
    _kind: String,
    subject: Subject,
    name: String,
    #[serde(rename = "type")]
    field_type: Type,
    #[serde(default)]
    allowed_values: Vec<String>,
    description: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Subject {
    Account,
    Contact,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Type {
    String,
    Number,
    Bool,
    Enum,
}

pub(super) fn profile_field(it: ProfileField) -> contact::ProfileField {
    let subject = match it.subject {
        Subject::Account => contact::ProfileSubject::Account,
        Subject::Contact => contact::ProfileSubject::Contact,
    };
    let field_type = match it.field_type {
        Type::String => contact::ProfileFieldType::String,
        Type::Number => contact::ProfileFieldType::Number,
        Type::Bool => contact::ProfileFieldType::Bool,
        Type::Enum => contact::ProfileFieldType::Enum,
    };
    contact::ProfileField {
        subject: subject.into(),
        name: it.name,
        r#type: field_type.into(),
        allowed_values: it.allowed_values,
        description: it.description,
    }
}
