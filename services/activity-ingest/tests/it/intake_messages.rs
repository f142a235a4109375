//! What a message of the intake stream may be, and what becomes of what it may not be.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use leadflow_harness::{eventually, on_each_database};
use leadflow_proto::{
    activity::v1::{Activity, Door},
    contact::v1::Identity,
};
use prost::Message as _;
use serde_json::{Value as Json, json};

use crate::{
    intake::{SOURCE, click, ledger, left, quarantined, word},
    support::{World, flag, number, quarantine::kept, text, values},
};

const PROTOBUF: &[(&str, &str)] = &[("content-type", "application/protobuf")];

on_each_database! {
    async fn protobuf_json_and_both_modes_of_cloudevents_say_the_same(database) {
        let world = World::start(database).await;
        let mut publisher = world.publisher().await;
        let said = json!({
            "activityType": "page_viewed",
            "channel": "CHANNEL_WEB",
            "product_category": "chromatography",
            "occurTime": "2026-11-20T08:00:00.123Z",
            "identity": { "email": "anna@example.com", "givenName": "Anna", "postal_code": "10115" },
            "objectId": "brochure-7",
            "attributes": { "pages": 3, "wants_call": true, "utm_source": "news" },
            "answers": { "budget": 12.5 },
            "notes": "Ä ß 試",
        });
        let message = Activity {
            activity_type: "page_viewed".into(),
            channel: 1,
            product_category: "chromatography".into(),
            occur_time: Some(prost_types::Timestamp { seconds: 1_795_161_600, nanos: 123_000_000 }),
            identity: Some(Identity {
                email: "anna@example.com".into(),
                given_name: "Anna".into(),
                postal_code: "10115".into(),
                ..Default::default()
            }),
            object_id: "brochure-7".into(),
            attributes: values([
                ("pages", number(3.0)),
                ("wants_call", flag(true)),
                ("utm_source", text("news")),
            ]),
            answers: values([("budget", number(12.5))]),
            notes: "Ä ß 試".into(),
            ..Activity::default()
        };
        let with_id = |id: &str| {
            let mut said = said.clone();
            said["source_event_id"] = json!(id);
            said.to_string()
        };
        let event = |id: &str| json!({ "specversion": "1.0", "id": id, "source": "/mailing", "type": "com.example.page" });
        let mut structured = event("4");
        structured["data"] = said.clone();
        let mut document = event("5");
        document["data"] = said.clone();
        document["time"] = Json::Null;
        let mut base64 = event("6");
        base64["datacontenttype"] = json!("application/protobuf");
        base64["data_base64"] = json!(BASE64_STANDARD.encode(message.encode_to_vec()));

        let binary = |id| [("ce-specversion", "1.0"), ("ce-id", id), ("ce-source", "/mailing"), ("ce-type", "com.example.page")];
        let protobuf = Activity { source_event_id: "1".into(), ..message.clone() }.encode_to_vec();
        publisher.publish(SOURCE, PROTOBUF, protobuf).await.unwrap();
        publisher.publish(SOURCE, &[], with_id("2")).await.unwrap();
        publisher.publish(SOURCE, &[("Content-Type", "application/json; charset=utf-8")], with_id("3")).await.unwrap();
        let content_type = [("content-type", "application/cloudevents+json; charset=utf-8")];
        publisher.publish(SOURCE, &content_type, structured.to_string()).await.unwrap();
        publisher.publish(SOURCE, &[], document.to_string()).await.unwrap();
        publisher.publish(SOURCE, &[], base64.to_string()).await.unwrap();
        publisher.publish(SOURCE, &binary("7"), said.to_string()).await.unwrap();
        let headers = [binary("8").as_slice(), PROTOBUF].concat();
        publisher.publish(SOURCE, &headers, message.encode_to_vec()).await.unwrap();
        let headers = [binary("J%C3%BCrgen%209").as_slice(), &[("ce-datacontenttype", "application/json")]].concat();
        publisher.publish(SOURCE, &headers, said.to_string()).await.unwrap();

        let mut ids = Vec::new();
        for _ in 0..9 {
            let receipt = publisher.receipt().await.unwrap();
            assert_eq!(word(&receipt, "outcome"), "accepted", "{receipt}");
            ids.push(word(&receipt, "source_event_id").to_owned());
        }
        assert_eq!(ids, ["1", "2", "3", "4", "5", "6", "7", "8", "Jürgen 9"]);
        for stored in ledger(&world.client()).await {
            let said = Activity {
                source: String::new(),
                source_event_id: String::new(),
                activity_id: String::new(),
                record_time: None,
                contact_id: String::new(),
                account_id: String::new(),
                state: 0,
                principal: String::new(),
                ..stored
            };
            assert_eq!(said, message, "{}", stored.source_event_id);
        }
    }

    async fn an_envelope_says_what_the_activity_leaves_open_and_no_more(database) {
        let world = World::start(database).await;
        let mut publisher = world.publisher().await;
        let identity = json!({ "email": "anna@example.com" });
        let envelope = |id, kind| {
            [("ce-id", id), ("ce-type", kind), ("ce-time", "2026-11-20T09:00:00+01:00"), ("ce-specversion", "1.0")]
        };
        publisher.publish(SOURCE, &envelope("open", "demo_requested"), json!({ "identity": identity }).to_string()).await.unwrap();
        let own = json!({
            "source": SOURCE,
            "source_event_id": "own",
            "activity_type": "page_viewed",
            "occur_time": "2026-11-19T00:00:00Z",
            "identity": identity,
        });
        publisher.publish(SOURCE, &envelope("not-this", "demo_requested"), own.to_string()).await.unwrap();
        let named = envelope("reverse", "com.example.clicked");
        publisher.publish(SOURCE, &named, json!({ "identity": identity }).to_string()).await.unwrap();
        for _ in 0..3 {
            assert_eq!(word(&publisher.receipt().await.unwrap(), "outcome"), "accepted");
        }
        let stored: Vec<_> = ledger(&world.client()).await;
        let shown: Vec<_> = stored
            .iter()
            .map(|it| (it.source_event_id.as_str(), it.activity_type.as_str(), it.occur_time.unwrap().seconds))
            .collect();
        let (nine, midnight) = (1_795_161_600, 1_795_046_400);
        let expected = [
            ("open", "demo_requested", nine),
            ("own", "page_viewed", midnight),
            ("reverse", "form_submitted", nine),
        ];
        assert_eq!(shown, expected);
    }

    async fn what_cannot_be_recorded_is_kept_with_its_reason_and_the_healthy_ones_pass(database) {
        let world = World::start(database).await;
        let mut publisher = world.publisher().await;
        let future = json!({
            "source_event_id": "future",
            "occur_time": "2026-11-24T12:06:00Z",
            "identity": { "email": "anna@example.com" },
        });
        let event = |version: &str, time: &str| {
            let data = json!({ "identity": { "email": "anna@example.com" } });
            json!({ "specversion": version, "id": "event", "time": time, "data": data }).to_string()
        };
        let other_source = json!({ "source": "expo", "source_event_id": "other" }).to_string();
        let misspelt = json!({ "source_event_id": "misspelt", "identify": {} }).to_string();
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Vec<u8>, &'a str, &'a str);
        let cases: Vec<Case<'_>> = vec![
            ("nowhere", &[], click("unknown").into(), "UNKNOWN_SOURCE", "unknown"),
            (SOURCE, &[], b"{\"source_event_id\": \"a\xff\"}".to_vec(), "MALFORMED_BODY", ""),
            (SOURCE, &[], b"garbage".to_vec(), "MALFORMED_BODY", ""),
            (SOURCE, &[("ce-id", "known")], b"garbage".to_vec(), "MALFORMED_BODY", "known"),
            (SOURCE, &[], b"[1]".to_vec(), "MALFORMED_BODY", ""),
            (SOURCE, &[], vec![], "MALFORMED_BODY", ""),
            (SOURCE, PROTOBUF, b"\x0a\x05gar".to_vec(), "MALFORMED_BODY", ""),
            (SOURCE, PROTOBUF, b"\x12\x02\xff\xfe".to_vec(), "MALFORMED_BODY", ""),
            (SOURCE, &[("content-type", "text/csv")], b"a;b".to_vec(), "UNSUPPORTED_MEDIA_TYPE", ""),
            (SOURCE, &[("content-type", "application/cloudevents-batch+json")], b"[]".to_vec(), "UNSUPPORTED_MEDIA_TYPE", ""),
            (SOURCE, &[("ce-id", "%FF")], click("x").into(), "MALFORMED_HEADERS", ""),
            (SOURCE, &[], future.to_string().into(), "OCCUR_TIME_IN_FUTURE", "future"),
            (SOURCE, &[], event("0.3", "2026-11-24T12:00:00Z").into(), "INVALID_FIELD", "event"),
            (SOURCE, &[], event("1.0", "yesterday").into(), "INVALID_FIELD", "event"),
            (SOURCE, &[], misspelt.into(), "MALFORMED_BODY", ""),
            (SOURCE, &[], other_source.into(), "SOURCE_MISMATCH", "other"),
            (SOURCE, &[], b"{\"source_event_id\": \"who\"}".to_vec(), "MISSING_IDENTITY", "who"),
        ];
        for (source, headers, body, ..) in &cases {
            publisher.publish(source, headers, body).await.unwrap();
        }
        publisher.publish(SOURCE, &[], click("healthy")).await.unwrap();
        for (_, _, body, reason, id) in &cases {
            let receipt = publisher.receipt().await.unwrap();
            let got = (word(&receipt, "outcome"), receipt["error"]["reason"].as_str(), word(&receipt, "source_event_id"));
            assert_eq!(got, ("quarantined", Some(*reason), *id), "{receipt} for {:?}", String::from_utf8_lossy(body));
            assert!(!word(&receipt, "quarantine_id").is_empty());
            assert_eq!(receipt["activity_id"], Json::Null);
        }
        assert_eq!(word(&publisher.receipt().await.unwrap(), "outcome"), "accepted");
        let all = quarantined(&world.client()).await;
        assert_eq!(all.len(), cases.len());
        assert!(all.iter().all(|it| it.door() == Door::Nats), "{all:?}");
        let mut raw = Vec::new();
        for it in all.iter().filter(|it| it.reason == "MALFORMED_BODY") {
            let one = kept(&world.client(), &it.quarantine_id).await;
            raw.push(String::from_utf8_lossy(&one.raw).into_owned());
        }
        assert!(["garbage", "ce-id: known\n\ngarbage"].iter().all(|text| raw.contains(&(*text).to_owned())), "{raw:?}");
        assert_eq!(ledger(&world.client()).await.len(), 1);
        let labels = ["door=\"nats\"", "reason=\"UNKNOWN_SOURCE\""];
        assert_eq!(world.service.metric("leadflow_activities_quarantined", &labels).await, 1.0);
        eventually!(left(&world).await == 0);
    }
}
