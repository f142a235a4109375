use leadflow_platform::{Error, Result};
use sea_orm::{Set, entity::prelude::*};

use crate::domain::{
    activity::Channel,
    source::{Consent, Field, Source, Webhook},
};

/// A registered place that activities come from.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sources")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) default_activity_type: String,
    pub(crate) default_channel: String,
    pub(crate) default_product_category: Option<String>,
    pub(crate) consent: Option<Json>,
    pub(crate) fields: Json,
    pub(crate) redirect_url: Option<String>,
    pub(crate) webhook: Option<Json>,
    pub(crate) verifies_mobile: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Source {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        let unreadable = |cause| Error::internal("a source that cannot be read").because(cause);
        let consent: Option<Consent> = row.consent.map(serde_json::from_value).transpose().map_err(unreadable)?;
        let webhook: Option<Webhook> = row.webhook.map(serde_json::from_value).transpose().map_err(unreadable)?;
        let fields: Vec<Field> = serde_json::from_value(row.fields).map_err(unreadable)?;
        Ok(Self {
            default_channel: Channel::from_word(&row.default_channel)
                .ok_or_else(|| Error::internal(format!("a source of no channel: {}", row.default_channel)))?,
            name: row.name,
            display_name: row.display_name,
            default_activity_type: row.default_activity_type,
            default_product_category: row.default_product_category.unwrap_or_default(),
            consent,
            fields,
            redirect_url: row.redirect_url.unwrap_or_default(),
            webhook,
            verifies_mobile: row.verifies_mobile,
        })
    }
}

impl TryFrom<Source> for ActiveModel {
    type Error = Error;

    fn try_from(source: Source) -> Result<Self> {
        let no_json = |cause| Error::internal("a source without JSON").because(cause);
        let optional = |text: String| (!text.is_empty()).then_some(text);
        Ok(Self {
            name: Set(source.name),
            display_name: Set(source.display_name),
            default_activity_type: Set(source.default_activity_type),
            default_channel: Set(source.default_channel.as_str().to_owned()),
            default_product_category: Set(optional(source.default_product_category)),
            consent: Set(source.consent.map(serde_json::to_value).transpose().map_err(no_json)?),
            fields: Set(serde_json::to_value(source.fields).map_err(no_json)?),
            redirect_url: Set(optional(source.redirect_url)),
            webhook: Set(source.webhook.map(serde_json::to_value).transpose().map_err(no_json)?),
            verifies_mobile: Set(source.verifies_mobile),
        })
    }
}
