use serde_json::json;

use super::*;
use crate::domain::{
    activity::{Channel, Draft, Identity, Values},
    call::{Call, Direction},
    catalogue::Catalogue,
    check::admit,
    source::Confirmation,
};

fn source(consent: Option<Consent>) -> Source {
    Source {
        name: "website-form".into(),
        display_name: String::new(),
        default_activity_type: "form_submitted".into(),
        default_channel: Channel::Web,
        default_product_category: String::new(),
        consent,
        fields: Vec::new(),
        redirect_url: String::new(),
        webhook: None,
        verifies_mobile: false,
    }
}

fn asks(field: &str) -> Option<Consent> {
    let (basis, purpose) = (Basis::Consent, "sales".into());
    Some(Consent { basis, purpose, field: field.into(), channels: Vec::new(), confirmation: None })
}

fn draft(activity_type: &str, attributes: &[(&str, Json)]) -> Draft {
    Draft {
        source: "website-form".into(),
        activity_type: activity_type.into(),
        identity: Identity { email: "anna@example.com".into(), ..Identity::default() },
        attributes: attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<Values>(),
        ..Draft::default()
    }
}

fn said(draft: Draft, consent: Option<Consent>, door: Door) -> Option<Statement> {
    let now = "2026-11-26T12:00:00Z".parse().unwrap();
    admit(draft, door, &Catalogue::new([source(consent)], []), now).unwrap().payload.statement
}

/// What was said, about which purpose.
fn short(statement: Option<Statement>) -> Option<(Said, String)> {
    statement.map(|it| (it.said, it.purpose))
}

#[test]
fn consent_is_given_when_its_field_is_ticked() {
    let given = |field: &str, attributes: &[(&str, Json)]| {
        said(draft("", attributes), asks(field), Door::Form).is_some_and(|it| it.said == Said::Granted)
    };
    assert!(given("", &[]), "sending is consenting");
    assert!(!given("agree", &[]));
    for (value, expected) in [
        (json!("on"), true),
        (json!("I agree"), true),
        (json!(true), true),
        (json!("no"), false),
        (json!("0"), false),
        (json!(false), false),
        (json!(0.0), false),
    ] {
        assert_eq!(given("agree", &[("agree", value.clone())]), expected, "{value}");
    }
    assert_eq!(said(draft("", &[]), None, Door::Form), None);
}

#[test]
fn a_grant_names_its_ways_its_ground_and_what_shows_it_and_nobody() {
    let statement = said(draft("", &[("agree", json!("on"))]), asks("agree"), Door::Form).unwrap();
    assert_eq!((statement.channels.as_slice(), statement.basis), (&[ConsentChannel::Email][..], Some(Basis::Consent)));
    assert_eq!(statement.proof, "form_submitted: `agree` was ticked");
    let channels = vec![ConsentChannel::Phone, ConsentChannel::Mail];
    let both = Some(Consent { channels: channels.clone(), ..asks("").unwrap() });
    assert_eq!(said(draft("", &[]), both, Door::Form).unwrap().channels, channels);
}

#[test]
fn a_source_without_a_ground_or_a_purpose_brings_no_consent() {
    for consent in
        [Consent { basis: Basis::None, ..asks("").unwrap() }, Consent { purpose: "".into(), ..asks("").unwrap() }]
    {
        assert_eq!(said(draft("", &[]), Some(consent), Door::Grpc), None);
    }
}

#[test]
fn what_has_to_be_confirmed_is_only_asked_for_whatever_door_it_comes_through() {
    let confirmation = Some(Confirmation::default());
    let asks = Some(Consent { confirmation, ..asks("agree").unwrap() });
    for door in [Door::Form, Door::Grpc, Door::Csv, Door::Nats] {
        let statement = said(draft("", &[("agree", json!("on"))]), asks.clone(), door).unwrap();
        assert_eq!((statement.said, statement.confirm_within), (Said::Requested, Some(7 * 86_400)), "{door:?}");
        assert_eq!(said(draft("", &[]), asks.clone(), door), None);
    }
    let unsubscribed = said(draft("email_unsubscribed", &[]), asks, Door::Webhook).unwrap();
    assert_eq!((unsubscribed.said, unsubscribed.confirm_within), (Said::Withdrawn, None), "a no needs no confirmation");
}

#[test]
fn what_a_provider_did_with_a_mail_is_nobodys_consent() {
    for activity_type in ["email_delivered", "email_opened", "email_bounced", "call_attempted"] {
        assert_eq!(said(draft(activity_type, &[]), asks(""), Door::Webhook), None, "{activity_type}");
    }
}

#[test]
fn an_unsubscription_is_from_everything_unless_it_says_from_what() {
    let withdrawn =
        |attributes: &[(&str, Json)]| short(said(draft("email_unsubscribed", attributes), asks(""), Door::Webhook));
    assert_eq!(withdrawn(&[]), Some((Said::Withdrawn, String::new())));
    assert_eq!(withdrawn(&[("asm_group_id", json!(7))]), Some((Said::Withdrawn, "sales".into())));
    assert_eq!(withdrawn(&[("purpose", json!("newsletter"))]), Some((Said::Withdrawn, "newsletter".into())));
    let spam = said(draft("email_spam_reported", &[("asm_group_id", json!(7))]), asks(""), Door::Webhook);
    assert_eq!(short(spam), Some((Said::Withdrawn, String::new())));
    let back =
        |attributes: &[(&str, Json)]| short(said(draft("email_resubscribed", attributes), asks(""), Door::Webhook));
    assert_eq!(back(&[("asm_group_id", json!(7))]), Some((Said::Granted, "sales".into())));
    assert_eq!(back(&[]), None, "nobody consents to everything");
}

#[test]
fn who_wants_no_calls_wants_no_short_messages_either() {
    let call = Call {
        direction: Direction::Outbound,
        disposition: Disposition::DoNotCall,
        duration_ms: None,
        agent: String::new(),
        call_id: String::new(),
    };
    let statement = said(Draft { call: Some(call), ..draft("", &[]) }, asks(""), Door::Grpc).unwrap();
    assert_eq!(statement.channels, [ConsentChannel::Phone, ConsentChannel::TextMessage]);
    assert_eq!((statement.said, statement.purpose.as_str()), (Said::Withdrawn, ""));
}

#[test]
fn a_stranger_can_neither_unsubscribe_others_nor_bring_them_back() {
    for activity_type in ["email_unsubscribed", "email_spam_reported", "email_resubscribed"] {
        let statement = said(draft(activity_type, &[("purpose", json!("sales"))]), asks("agree"), Door::Form);
        assert_eq!(statement, None, "{activity_type}");
    }
}

#[test]
fn what_comes_with_an_import_says_so() {
    assert!(said(draft("badge_scanned", &[]), asks(""), Door::Csv).unwrap().imported);
    assert!(!said(draft("badge_scanned", &[]), asks(""), Door::Grpc).unwrap().imported);
}
