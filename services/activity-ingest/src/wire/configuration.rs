use leadflow_platform::{Error, Result};
use leadflow_proto::{
    activity::v1::{
        ApplyConfigurationRequest, Confirmation as ConfirmationMessage, Consent as ConsentMessage,
        Field as FieldMessage, FieldType as FieldTypeMessage, ProductCategory as ProductCategoryMessage,
        Source as SourceMessage, Webhook as WebhookMessage,
    },
    common::v1::{Change as ChangeMessage, change::Action},
};

use super::{
    activity::{channel, channel_message},
    statement,
};
use crate::{
    domain::{
        configuration::{Change, Configuration},
        problems::Problems,
        source::{Basis, Confirmation, Consent, Field, FieldType, ProductCategory, Source, Webhook},
    },
    error,
};

/// The sources and product categories that a request wants.
///
/// # Errors
/// `INVALID_ARGUMENT` for values outside the closed sets, and for what is required and missing.
pub(crate) fn configuration(request: ApplyConfigurationRequest) -> Result<Configuration> {
    let mut problems = Problems::default();
    let source = |(index, message): (usize, SourceMessage)| {
        let source = read_source(message).map_err(|error| error.within(&format!("sources[{index}].")));
        problems.note(source)
    };
    let sources = request.sources.into_iter().enumerate().filter_map(source).collect();
    problems.finish()?;
    let category = |message: ProductCategoryMessage| ProductCategory {
        name: message.name,
        display_name: message.display_name,
        parent: message.parent,
    };
    Ok(Configuration { sources, product_categories: request.product_categories.into_iter().map(category).collect() })
}

fn read_source(message: SourceMessage) -> Result<Source> {
    let mut problems = Problems::default();
    let default_channel = channel("default_channel", message.default_channel)
        .and_then(|channel| channel.ok_or_else(|| Error::invalid("default_channel", "is required")));
    let default_channel = problems.note(default_channel);
    let consent = problems.note(message.consent.map(read_consent).transpose()).flatten();
    let fields = message.fields.into_iter().enumerate().filter_map(|(index, field)| {
        problems.note(read_field(field).map_err(|error| error.within(&format!("fields[{index}]."))))
    });
    let fields = fields.collect();
    problems.finish()?;
    Ok(Source {
        name: message.name,
        display_name: message.display_name,
        default_activity_type: message.default_activity_type,
        default_channel: default_channel.ok_or_else(|| Error::invalid("default_channel", "is required"))?,
        default_product_category: message.default_product_category,
        consent,
        fields,
        redirect_url: message.redirect_url,
        webhook: message.webhook.map(|it| Webhook { provider: it.provider, public_key: it.public_key }),
        verifies_mobile: message.verifies_mobile,
    })
}

fn read_consent(message: ConsentMessage) -> Result<Consent> {
    let basis = Basis::from_word(&message.basis).ok_or_else(|| {
        Error::invalid("consent.basis", "must be `consent`, `contract`, `legitimate_interest` or `none`")
    })?;
    let read = |(index, number): (usize, &i32)| {
        statement::channel(*number)
            .ok_or_else(|| Error::invalid(format!("consent.channels[{index}]"), "is no way to reach a person"))
    };
    let channels = message.channels.iter().enumerate().map(read).collect::<Result<_>>()?;
    let confirmation = message.confirmation.map(read_confirmation).transpose()?;
    Ok(Consent { basis, purpose: message.purpose, field: message.field, channels, confirmation })
}

fn read_confirmation(message: ConfirmationMessage) -> Result<Confirmation> {
    let Some(within) = message.within else { return Ok(Confirmation::default()) };
    let seconds = u32::try_from(within.seconds).ok().filter(|_| within.nanos == 0);
    let within_seconds = seconds.ok_or_else(|| error::invalid_confirmation_time("consent.confirmation.within"))?;
    Ok(Confirmation { within_seconds })
}

fn read_field(message: FieldMessage) -> Result<Field> {
    let field_type = match FieldTypeMessage::try_from(message.r#type) {
        Ok(FieldTypeMessage::String) => FieldType::String,
        Ok(FieldTypeMessage::Number) => FieldType::Number,
        Ok(FieldTypeMessage::Bool) => FieldType::Bool,
        Ok(FieldTypeMessage::Unspecified) | Err(_) => {
            return Err(Error::invalid("type", "is required: string, number or bool"));
        }
    };
    Ok(Field { name: message.name, field_type, answer: message.answer })
}

/// A source as it is registered.
pub(crate) fn source(source: Source) -> SourceMessage {
    let consent = |consent: Consent| ConsentMessage {
        basis: consent.basis.as_str().to_owned(),
        purpose: consent.purpose,
        field: consent.field,
        channels: consent.channels.into_iter().map(|it| statement::channel_message(it).into()).collect(),
        confirmation: consent.confirmation.map(|it| ConfirmationMessage {
            within: Some(prost_types::Duration { seconds: it.within_seconds.into(), nanos: 0 }),
        }),
    };
    SourceMessage {
        name: source.name,
        display_name: source.display_name,
        default_activity_type: source.default_activity_type,
        default_channel: channel_message(source.default_channel).into(),
        default_product_category: source.default_product_category,
        consent: source.consent.map(consent),
        fields: source.fields.into_iter().map(field_message).collect(),
        redirect_url: source.redirect_url,
        webhook: source.webhook.map(|it| WebhookMessage { provider: it.provider, public_key: it.public_key }),
        verifies_mobile: source.verifies_mobile,
    }
}

fn field_message(field: Field) -> FieldMessage {
    let field_type = match field.field_type {
        FieldType::String => FieldTypeMessage::String,
        FieldType::Number => FieldTypeMessage::Number,
        FieldType::Bool => FieldTypeMessage::Bool,
    };
    FieldMessage { name: field.name, r#type: field_type.into(), answer: field.answer }
}

/// What happens, or would happen, to one resource.
pub(crate) fn change(change: Change) -> ChangeMessage {
    let action = if change.before.is_empty() {
        Action::Created
    } else if change.before == change.after {
        Action::Unchanged
    } else {
        Action::Updated
    };
    ChangeMessage {
        kind: change.kind,
        name: change.name,
        action: action.into(),
        before: change.before,
        after: change.after,
    }
}
