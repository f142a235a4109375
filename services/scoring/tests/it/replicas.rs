//! Two replicas on one PostgreSQL: one lead, one hand-over, as if there were one of them.

use leadflow_harness::{Backend, TestDatabase, eventually};
use leadflow_platform::quarantine;
use leadflow_proto::{
    routing::v1::AssignmentState,
    scoring::v1::{Disposition, LeadStatus, ListEvidenceRequest},
};
use sea_orm::{ConnectionTrait as _, Statement};

use crate::support::{
    World,
    activity::TestAccount,
    company::{self, changed},
};

async fn world() -> World {
    World::start(TestDatabase::create(Backend::Postgres).await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn activities_in_any_order_to_either_replica_make_one_lead_and_one_hand_over() {
    let mut world = world().await;
    let second = world.another().await;
    let accounts: Vec<_> = (0..40).map(|_| TestAccount::new()).collect();
    let now = world.now();
    let mut all: Vec<_> = accounts.iter().flat_map(|account| account.gets_hot(now)).collect();
    // Of no account: nothing but the activity's own key keeps their repetitions apart.
    all.extend((0..53).map(|_| TestAccount::new().does("form_submitted", 0, now).of_no_account()));
    let facts = async {
        for account in &accounts {
            world.publish_account(account).await;
        }
    };
    let activities = async {
        for step in [1, 5, 11] {
            let order = (0..all.len()).map(|place| all[place * step % all.len()].clone());
            world.publish(&order.collect::<Vec<_>>()).await;
        }
    };
    tokio::join!(facts, activities);
    for account in &accounts {
        world.lead_in(account, LeadStatus::HandedOver).await;
    }
    world.settle().await;
    eventually!(accounts.iter().all(|account| world.heard.announced("sales_ready", account).len() == 1));
    second.stop().await;
    for account in &accounts {
        let leads = world.leads(account).await;
        assert_eq!(leads.len(), 1);
        assert_eq!((leads[0].score_milli, leads[0].activities, leads[0].hand_over), (60_000, 3, 1));
        world.heard.facts_until(account, &leads[0]).await;
        let events = world.heard.events(account);
        let revisions: Vec<_> = events.iter().map(|(_, event)| event.lead.as_ref().unwrap().revision).collect();
        assert_eq!(revisions, (1..=leads[0].revision).collect::<Vec<_>>());
        assert_eq!(world.heard.announced("opened", account).len(), 1);
        assert_eq!(world.evidence(account).await.len(), 3);
    }
    let request =
        ListEvidenceRequest { disposition: Disposition::NoAccount.into(), page_size: 1000, ..Default::default() };
    assert_eq!(world.scoring.client.list_evidence(request).await.unwrap().into_inner().evidence.len(), 53);
    let tables = world.tables().await;
    assert_eq!(quarantine::depth(&tables).await.unwrap(), 0);
    tables.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejections_and_new_activities_at_once_make_each_hand_over_once() {
    let mut world = world().await;
    let second = world.another().await;
    let accounts: Vec<_> = (0..15).map(|_| TestAccount::new()).collect();
    let mut leads = Vec::new();
    for account in &accounts {
        leads.push(world.hot_lead(account).await);
    }
    world.hand.advance(1000);
    let rejections = async {
        for lead in leads.iter().chain(&leads) {
            world.assign(lead, 1, AssignmentState::Rejected, "too_early").await;
        }
    };
    let activities = async {
        for account in &accounts {
            world.publish(&[account.does("badge_scanned", 2, world.now() + 1)]).await;
        }
    };
    tokio::join!(rejections, activities);
    for account in &accounts {
        eventually!(world.heard.announced("sales_ready", account).len() == 2);
        let lead = world.lead(account).await;
        assert_eq!((lead.hand_over, lead.status()), (2, LeadStatus::HandedOver));
    }
    world.settle().await;
    second.stop().await;
    for account in &accounts {
        let hand_overs: Vec<_> =
            world.heard.announced("sales_ready", account).iter().map(|lead| lead.hand_over).collect();
        assert_eq!(hand_overs, [1, 2]);
        assert_eq!(world.heard.announced("recycled", account).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_model_waits_for_who_scores_an_account_that_nobody_else_knows_yet() {
    let world = world().await;
    let tables = world.tables().await;
    let (scored, wait) = tokio::sync::oneshot::channel::<()>();
    let (made, wait_for_it) = tokio::sync::oneshot::channel();
    let scoring = tables.write(move |tx| async move {
        let new =
            "INSERT INTO accounts (account_id, name, revision, wanted_revision) VALUES (gen_random_uuid(), '', 0, 0)";
        tx.execute_unprepared(new).await?;
        made.send(()).unwrap();
        wait.await.unwrap();
        Ok(())
    });
    let publishing = async {
        wait_for_it.await.unwrap();
        let mut client = world.scoring.client.clone();
        let applying = tokio::spawn(async move {
            let request = changed(|model| model.default_thresholds = Some(company::thresholds(10, 5, 1, 1)));
            client.apply_configuration(request).await.unwrap();
        });
        let waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'accounts'::regclass";
        let query = || Statement::from_string(tables.backend(), waiting);
        eventually!(tables.reader().query_one_raw(query()).await.unwrap().is_some());
        scored.send(()).unwrap();
        applying.await.unwrap();
    };
    let (result, ()) = tokio::join!(scoring, publishing);
    result.unwrap();
    tables.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_passes_by_merged_accounts_that_somebody_is_at() {
    let mut world = world().await;
    let (mut merged, survivor, last) = (TestAccount::new(), TestAccount::new(), TestAccount::new());
    let now = world.now();
    world.record(&[&merged, &survivor, &last].map(|account| account.does("form_submitted", 0, now))).await;
    world.merge(&mut merged, Some(&survivor)).await;
    let tables = world.tables().await;
    let is_due = async |account: &TestAccount| {
        let sql = format!("SELECT 1 FROM accounts WHERE account_id = '{}' AND due_time = 0", account.account_id);
        let query = Statement::from_string(tables.backend(), sql);
        tables.reader().query_one_raw(query).await.unwrap().is_some()
    };
    let (seen, wait) = tokio::sync::oneshot::channel::<()>();
    let (locked, wait_for_it) = tokio::sync::oneshot::channel();
    let at = |account: &TestAccount| {
        format!("SELECT 1 FROM accounts WHERE account_id = '{}' FOR UPDATE", account.account_id)
    };
    let (first, second) = (at(&merged), at(&survivor));
    let taking_in = tables.write(move |tx| async move {
        tx.execute_unprepared(&first).await?;
        locked.send(()).unwrap();
        wait.await.unwrap();
        tx.execute_unprepared(&second).await?;
        Ok(())
    });
    let sweeping = async {
        wait_for_it.await.unwrap();
        let (survivor_id, last_id) = (survivor.account_id, last.account_id);
        let due = format!("UPDATE accounts SET due_time = 0 WHERE account_id IN ('{survivor_id}', '{last_id}')");
        tables.write(move |tx| async move { Ok(tx.execute_unprepared(&due).await.map(drop)?) }).await.unwrap();
        eventually!(!is_due(&last).await);
        assert!(is_due(&survivor).await);
        seen.send(()).unwrap();
    };
    let (result, ()) = tokio::join!(taking_in, sweeping);
    result.unwrap();
    eventually!(!is_due(&survivor).await);
    tables.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activity_that_somebody_else_takes_in_at_another_account_meanwhile_opens_no_lead_here() {
    let mut world = world().await;
    let (here, there) = (TestAccount::new(), TestAccount::new());
    let visit = here.does("form_submitted", 0, world.now());
    let tables = world.tables().await;
    let (seen, wait) = tokio::sync::oneshot::channel::<()>();
    let (made, wait_for_it) = tokio::sync::oneshot::channel();
    let insert = format!(
        "INSERT INTO evidence (activity_id, account_id, source, source_event_id, activity_type, channel, occur_time, \
         record_time, disposition, attribution) VALUES ('{}', '{}', 'website-form', 'e', 'form_submitted', 'web', 1, 1, \
         'no_open_lead', 1)",
        visit.id(),
        there.account_id
    );
    let moving = tables.write(move |tx| async move {
        tx.execute_unprepared(&insert).await?;
        made.send(()).unwrap();
        wait.await.unwrap();
        Ok(())
    });
    let recording = async {
        wait_for_it.await.unwrap();
        world.publish(std::slice::from_ref(&visit)).await;
        let waiting = "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND \
                       locktype = 'transactionid' AND datname = current_database()";
        let query = || Statement::from_string(tables.backend(), waiting);
        eventually!(tables.reader().query_one_raw(query()).await.unwrap().is_some());
        seen.send(()).unwrap();
    };
    let (result, ()) = tokio::join!(moving, recording);
    result.unwrap();
    world.record(&[here.does("form_submitted", 0, world.now()).in_category("gc")]).await;
    let leads = world.leads(&here).await;
    assert_eq!(leads.iter().map(|lead| lead.product_category.as_str()).collect::<Vec<_>>(), ["gc"]);
    tables.close().await;
}
