//! How accounts buy: facts, and what is worth asking next.

use leadflow_harness::on_each_database;
use leadflow_platform::{audit, auth::Credentials, ids, rpc};
use leadflow_proto::contact::v1::{
    BuyingRole, ExportContactRequest, Fact, FactKind, FactState, GetSiteMapRequest, ListFactsRequest,
    RecordFactRequest, RetractFactRequest, SiteMap, gap::Cause, privacy_service_client::PrivacyServiceClient,
};
use sea_orm::EntityTrait as _;
use tonic::Code;

use crate::support::{World, claim, email, fields, reason};

const DAY: i64 = 24 * 60 * 60 * 1000;

async fn record(world: &World, fact: Fact) -> Result<Fact, tonic::Status> {
    let request = RecordFactRequest { fact: Some(fact), ..Default::default() };
    Ok(world.site_maps().record_fact(request).await?.into_inner().fact.unwrap())
}

async fn retract(world: &World, fact_id: &str, reason: &str) -> Result<Fact, tonic::Status> {
    let (fact_id, reason) = (fact_id.to_owned(), reason.to_owned());
    let request = RetractFactRequest { fact_id, reason, ..Default::default() };
    Ok(world.site_maps().retract_fact(request).await?.into_inner().fact.unwrap())
}

async fn site_map(world: &World, account_id: &str, product_category: &str) -> SiteMap {
    let (account_id, product_category) = (account_id.to_owned(), product_category.to_owned());
    let request = GetSiteMapRequest { account_id, product_category };
    world.site_maps().get_site_map(request).await.unwrap().into_inner().site_map.unwrap()
}

async fn list(world: &World, request: ListFactsRequest) -> Result<(Vec<Fact>, String), tonic::Status> {
    let answer = world.site_maps().list_facts(request).await?.into_inner();
    Ok((answer.facts, answer.next_page_token))
}

/// A contact with a name, and the account.
async fn ada(world: &World) -> (String, String) {
    let mut claim = claim(email("ada@works.de").identity.unwrap());
    if let Some(identity) = claim.identity.as_mut() {
        identity.given_name = "Ada".into();
        identity.family_name = "Lovelace".into();
    }
    let found = world.resolve_one(claim).await;
    (found.contact_id, found.account_id)
}

fn budget(account_id: &str, amount: i64) -> Fact {
    Fact {
        account_id: account_id.into(),
        kind: FactKind::Budget.into(),
        amount: Some(amount),
        confidence: 80,
        source: "call".into(),
        said_by: "the laboratory's assistant".into(),
        ..Default::default()
    }
}

fn player(account_id: &str, role: BuyingRole, contact_id: &str, player_name: &str) -> Fact {
    Fact {
        kind: FactKind::Player.into(),
        role: role.into(),
        contact_id: contact_id.into(),
        player_name: player_name.into(),
        amount: None,
        ..budget(account_id, 0)
    }
}

fn summary(map: &SiteMap) -> Vec<(FactKind, String)> {
    map.facts.iter().map(|fact| (fact.kind(), fact.player_name.clone())).collect()
}

on_each_database! {
    async fn what_is_known_stands_on_the_site_map_with_who_said_it_and_when_it_is_stale(database) {
        let world = World::start(database).await;
        let (contact, account) = ada(&world).await;
        let mut said = budget(&account, 40_000);
        said.said_by_contact_id.clone_from(&contact);
        let recorded = record(&world, said.clone()).await.unwrap();
        let expected = Fact {
            fact_id: recorded.fact_id.clone(),
            principal: "tester".into(),
            create_time: recorded.create_time,
            observe_time: recorded.create_time,
            stale_time: recorded.stale_time,
            state: FactState::Current.into(),
            ..said
        };
        assert_eq!(recorded, expected);
        let lasting = recorded.stale_time.unwrap().seconds - recorded.observe_time.unwrap().seconds;
        assert_eq!(lasting * 1000, 180 * DAY);

        record(&world, player(&account, BuyingRole::User, "", "the new assistant")).await.unwrap();
        record(&world, player(&account, BuyingRole::DecisionMaker, &contact, "")).await.unwrap();
        let map = site_map(&world, &account, "").await;
        let expected = [
            (FactKind::Player, "Ada Lovelace".to_owned()),
            (FactKind::Player, "the new assistant".to_owned()),
            (FactKind::Budget, String::new()),
        ];
        assert_eq!(summary(&map), expected);
        let asked: Vec<_> = map.gaps.iter().map(|gap| (gap.kind(), gap.role(), gap.cause())).collect();
        let missing = |kind| (kind, BuyingRole::Unspecified, Cause::Missing);
        assert_eq!(asked[..2], [missing(FactKind::Requirement), missing(FactKind::BuyingProcess)]);
        assert!(asked.iter().all(|(_, role, _)| *role != BuyingRole::DecisionMaker), "that is known");
        assert!(map.gaps[0].question.ends_with('?') && map.gaps[0].value_milli > map.gaps[1].value_milli);

        // Half a year later it should be asked again.
        world.hand.advance(181 * DAY);
        let again = site_map(&world, &account, "").await;
        let decision = again.gaps.iter().find(|gap| gap.role() == BuyingRole::DecisionMaker).unwrap();
        assert_eq!((decision.cause(), decision.fact_id.is_empty()), (Cause::Stale, false));
    }

    async fn a_later_fact_takes_the_place_and_gives_it_back_when_it_is_retracted(database) {
        let world = World::start(database).await;
        let (_, account) = ada(&world).await;
        let first = record(&world, budget(&account, 40_000)).await.unwrap();
        world.hand.advance(1_000);
        let second = record(&world, budget(&account, 60_000)).await.unwrap();
        // Heard before, told now: it changes nothing.
        let late = Fact { observe_time: first.observe_time, ..budget(&account, 1) };
        let late = Fact { observe_time: late.observe_time.map(|at| prost_types::Timestamp { seconds: at.seconds - 60, ..at }), ..late };
        assert_eq!(record(&world, late).await.unwrap().state(), FactState::Superseded);
        let amounts = async || -> Vec<_> { site_map(&world, &account, "").await.facts.iter().map(|it| it.amount).collect() };
        assert_eq!(amounts().await, [Some(60_000)]);

        let gone = retract(&world, &second.fact_id, "misheard").await.unwrap();
        assert_eq!((gone.state(), gone.retract_reason.as_str()), (FactState::Retracted, "misheard"));
        assert_eq!((gone.retract_principal.as_str(), gone.retract_time.is_some()), ("tester", true));
        assert_eq!(amounts().await, [Some(40_000)]);
        assert_eq!(retract(&world, &second.fact_id, "again").await.unwrap(), gone, "it is taken back once");
    }

    async fn what_is_known_of_merged_accounts_is_one_site_map_until_the_merge_is_undone(database) {
        let world = World::start(database).await;
        let (_, account) = ada(&world).await;
        let other = world.resolve_one(email("bert@works-labs.de")).await.account_id;
        record(&world, budget(&other, 40_000)).await.unwrap();
        world.hand.advance(1_000);
        let merge = world.merge_accounts(&account, &other).await;
        assert_eq!(site_map(&world, &account, "").await.facts.len(), 1);
        // A later fact of the one takes the place of an earlier one of the other.
        record(&world, budget(&account, 60_000)).await.unwrap();
        let amounts: Vec<_> = site_map(&world, &other, "").await.facts.iter().map(|it| it.amount).collect();
        assert_eq!(amounts, [Some(60_000)]);
        world.undo(&merge.merge_id).await.unwrap();
        assert_eq!(site_map(&world, &other, "").await.facts[0].amount, Some(40_000));
        assert_eq!(site_map(&world, &account, "").await.facts[0].amount, Some(60_000));
    }

    async fn facts_are_listed_the_newest_first_and_by_kind(database) {
        let world = World::start(database).await;
        let (contact, account) = ada(&world).await;
        let mut made = Vec::new();
        for amount in 0..3 {
            made.push(record(&world, budget(&account, amount)).await.unwrap().fact_id);
        }
        made.push(record(&world, player(&account, BuyingRole::User, &contact, "")).await.unwrap().fact_id);
        made.reverse();
        let (mut found, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListFactsRequest { account_id: account.clone(), page_size: 3, page_token, ..Default::default() };
            let (facts, next) = list(&world, request).await.unwrap();
            found.extend(facts.into_iter().map(|fact| fact.fact_id));
            page_token = next;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(found, made);
        let of_kind = ListFactsRequest { account_id: account.clone(), kind: FactKind::Player.into(), ..Default::default() };
        assert_eq!(list(&world, of_kind.clone()).await.unwrap().0.len(), 1);
        let first = ListFactsRequest { account_id: account.clone(), page_size: 1, ..Default::default() };
        let (_, page_token) = list(&world, first).await.unwrap();
        let error = list(&world, ListFactsRequest { page_token, ..of_kind }).await.unwrap_err();
        assert_eq!((reason(&error).as_str(), fields(&error)), ("INVALID_PAGE_TOKEN", vec!["page_token".to_owned()]));
        let unknown = ListFactsRequest { account_id: ids::new().to_string(), ..Default::default() };
        assert_eq!(list(&world, unknown).await.unwrap_err().code(), Code::NotFound);
    }

    async fn a_fact_that_makes_no_sense_is_refused_by_its_field(database) {
        let world = World::start(database).await;
        let (contact, account) = ada(&world).await;
        let unknown = ids::new().to_string();
        let good = || budget(&account, 1);
        let of = |kind: FactKind| Fact { kind: kind.into(), amount: None, content: "x".into(), ..good() };
        let ahead = prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 };
        for (fact, expected, field) in [
            (Fact { kind: 0, ..good() }, "INVALID_FIELD", "fact.kind"),
            (Fact { account_id: "me".into(), ..good() }, "INVALID_FIELD", "fact.account_id"),
            (Fact { account_id: unknown.clone(), ..good() }, "UNKNOWN_ACCOUNT", "fact.account_id"),
            (Fact { confidence: 0, ..good() }, "INVALID_FIELD", "fact.confidence"),
            (Fact { confidence: 101, ..good() }, "INVALID_FIELD", "fact.confidence"),
            (Fact { source: " ".into(), ..good() }, "INVALID_FIELD", "fact.source"),
            (Fact { amount: Some(-1), ..good() }, "INVALID_FIELD", "fact.amount"),
            (Fact { amount: None, ..good() }, "INVALID_FIELD", "fact.content"),
            (Fact { content: "x".repeat(2001), ..good() }, "INVALID_FIELD", "fact.content"),
            (Fact { content: "a\u{0}b".into(), ..good() }, "INVALID_FIELD", "fact.content"),
            (Fact { product_category: "HPLC!".into(), ..good() }, "INVALID_FIELD", "fact.product_category"),
            (Fact { observe_time: Some(ahead), ..good() }, "INVALID_FIELD", "fact.observe_time"),
            (Fact { said_by_contact_id: unknown.clone(), ..good() }, "UNKNOWN_CONTACT", "fact.said_by_contact_id"),
            (Fact { amount: Some(1), ..of(FactKind::Incumbent) }, "INVALID_FIELD", "fact.amount"),
            (Fact { content: String::new(), ..of(FactKind::Note) }, "INVALID_FIELD", "fact.content"),
            (Fact { role: BuyingRole::User.into(), ..of(FactKind::Note) }, "INVALID_FIELD", "fact.role"),
            (Fact { contact_id: contact.clone(), ..of(FactKind::Note) }, "INVALID_FIELD", "fact.contact_id"),
            (player(&account, BuyingRole::Unspecified, &contact, ""), "INVALID_FIELD", "fact.role"),
            (player(&account, BuyingRole::User, "", ""), "INVALID_FIELD", "fact.contact_id"),
            (player(&account, BuyingRole::User, &contact, "Ada"), "INVALID_FIELD", "fact.player_name"),
            (player(&account, BuyingRole::User, &unknown, ""), "UNKNOWN_CONTACT", "fact.contact_id"),
        ] {
            let error = record(&world, fact.clone()).await.unwrap_err();
            assert_eq!((error.code(), reason(&error).as_str()), (Code::InvalidArgument, expected), "{fact:?} {error:?}");
            assert_eq!(fields(&error), [field], "{fact:?}");
        }
        assert!(site_map(&world, &account, "").await.facts.is_empty());
        let fact = record(&world, good()).await.unwrap();
        assert_eq!(fields(&retract(&world, &fact.fact_id, " ").await.unwrap_err()), ["reason"]);
        assert_eq!(retract(&world, &unknown, "why").await.unwrap_err().code(), Code::NotFound);
        let request = GetSiteMapRequest { account_id: unknown, ..Default::default() };
        assert_eq!(world.site_maps().get_site_map(request).await.unwrap_err().code(), Code::NotFound);
    }

    async fn a_person_is_given_what_is_said_of_them_and_by_them(database) {
        let world = World::start(database).await;
        let (contact, account) = ada(&world).await;
        let part = record(&world, player(&account, BuyingRole::Champion, &contact, "")).await.unwrap();
        let by_them = Fact { said_by_contact_id: contact.clone(), said_by: String::new(), ..budget(&account, 7) };
        let said = record(&world, by_them).await.unwrap();
        record(&world, budget(&account, 9)).await.unwrap();
        let channel = rpc::channel(world.contact.url(), Credentials::Name("anna".into())).unwrap();
        let request = ExportContactRequest { contact_id: contact };
        let held = PrivacyServiceClient::new(channel).export_contact(request).await.unwrap().into_inner();
        let overtaken = Fact { state: FactState::Superseded.into(), ..said };
        assert_eq!(held.facts, [part, overtaken]);
    }

    async fn a_repeated_request_is_done_once_and_says_who_asked(database) {
        let world = World::start(database).await;
        let (_, account) = ada(&world).await;
        let request = RecordFactRequest { fact: Some(budget(&account, 1)), request_id: ids::new().to_string() };
        let first = world.site_maps().record_fact(request.clone()).await.unwrap().into_inner();
        assert_eq!(world.site_maps().record_fact(request).await.unwrap().into_inner(), first);
        assert_eq!(site_map(&world, &account, "").await.facts.len(), 1);
        let tables = world.tables().await;
        let rows = audit::Entity::find().all(tables.reader()).await.unwrap();
        let rows: Vec<_> = rows.iter().map(|row| (row.principal.as_str(), row.method.as_str())).collect();
        assert_eq!(rows, [("tester", "RecordFact")]);
        tables.close().await;
    }
}
