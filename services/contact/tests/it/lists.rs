//! Lists, page by page.

use leadflow_harness::on_each_database;
use leadflow_proto::contact::v1::{Account, ListAccountsRequest, ListContactsRequest};
use tonic::Code;

use crate::support::{World, email, fields, named, reason};

/// All accounts of a query, with the sizes of the pages.
async fn all_accounts(world: &World, request: ListAccountsRequest) -> (Vec<String>, Vec<usize>) {
    let (mut names, mut sizes, mut page_token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let request = ListAccountsRequest { page_token, ..request.clone() };
        let page = world.client().list_accounts(request).await.unwrap().into_inner();
        sizes.push(page.accounts.len());
        names.extend(page.accounts.into_iter().map(|account| account.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return (names, sizes);
        }
    }
}

async fn seven(world: &World) {
    for (name, country, owner_rep) in [
        ("acme", "DE", "anna"),
        ("Acme", "AT", "anna"),
        ("ACME Labs", "DE", ""),
        ("Äther", "DE", ""),
        ("Zeta", "DE", "bert"),
        ("Beta", "CH", ""),
        ("acme", "FR", ""),
    ] {
        world.create(Account { country: country.into(), owner_rep: owner_rep.into(), ..named(name, &[]) }).await;
    }
}

on_each_database! {
    async fn accounts_come_in_the_order_of_their_names_without_gaps_or_repetitions(database) {
        let world = World::start(database).await;
        seven(&world).await;
        let whole = world.accounts().await;
        let names: Vec<_> = whole.iter().map(|account| account.name.as_str()).collect();
        // Without regard to case; the same name in the order of making; what is beyond ASCII last.
        assert_eq!(names, ["acme", "Acme", "acme", "ACME Labs", "Beta", "Zeta", "Äther"]);
        for (page_size, sizes) in [(1, vec![1; 7]), (3, vec![3, 3, 1]), (7, vec![7]), (0, vec![7])] {
            let request = ListAccountsRequest { page_size, ..Default::default() };
            let (found, found_sizes) = all_accounts(&world, request).await;
            assert_eq!((found, found_sizes), (names.iter().map(|&name| name.to_owned()).collect(), sizes));
        }
    }

    async fn accounts_are_found_by_prefix_country_and_owner(database) {
        let world = World::start(database).await;
        seven(&world).await;
        let query = |name_prefix: &str, country: &str, owner_rep: &str| ListAccountsRequest {
            page_size: 1,
            name_prefix: name_prefix.into(),
            country: country.into(),
            owner_rep: owner_rep.into(),
            ..Default::default()
        };
        for (request, expected) in [
            (query("ACM", "", ""), vec!["acme", "Acme", "acme", "ACME Labs"]),
            (query("acme l", "", ""), vec!["ACME Labs"]),
            (query("äT", "", ""), vec!["Äther"]),
            (query("x", "", ""), vec![]),
            (query("%", "", ""), vec![]),
            (query("", "de", ""), vec!["acme", "ACME Labs", "Zeta", "Äther"]),
            (query("", "", "anna"), vec!["acme", "Acme"]),
            (query("a", "DE", "anna"), vec!["acme"]),
        ] {
            assert_eq!(all_accounts(&world, request.clone()).await.0, expected, "{request:?}");
        }
    }

    async fn accounts_are_found_by_what_is_shown_of_them_whichever_side_says_it(database) {
        let world = World::start(database).await;
        let group = world.create(named("Group", &[])).await;
        let account = |name: &str, country: &str| Account { country: country.into(), ..named(name, &[]) };
        let silent = world.create(account("Silent", "")).await;
        let austrian = world.create(account("Austrian", "AT")).await;
        for survivor in [&silent, &austrian] {
            let side = Account {
                owner_rep: "anna".into(),
                parent_account_id: group.account_id.clone(),
                ..account(&format!("{} Side", survivor.name), "DE")
            };
            let side = world.create(side).await;
            world.merge_accounts(&survivor.account_id, &side.account_id).await;
        }
        let query = |country: &str, owner_rep: &str, parent: &str| ListAccountsRequest {
            page_size: 1,
            country: country.into(),
            owner_rep: owner_rep.into(),
            parent_account_id: parent.into(),
            ..Default::default()
        };
        for (request, expected) in [
            (query("DE", "", ""), vec!["Silent"]),
            (query("AT", "", ""), vec!["Austrian"]),
            (query("", "anna", ""), vec!["Austrian", "Silent"]),
            (query("AT", "anna", &group.account_id), vec!["Austrian"]),
            (query("DE", "anna", &group.account_id), vec!["Silent"]),
            (query("DE", "bert", ""), vec![]),
        ] {
            assert_eq!(all_accounts(&world, request.clone()).await.0, expected, "{request:?}");
        }
    }

    async fn contacts_come_the_newest_first_and_of_one_account(database) {
        let world = World::start(database).await;
        let mut made = Vec::new();
        for at in 0..5 {
            made.push(world.resolve_one(email(&format!("person-{at}@works-{}.de", at % 2))).await);
        }
        let page = |page_size: i32, account_id: &str, page_token: &str| {
            let (account_id, page_token) = (account_id.into(), page_token.into());
            let request = ListContactsRequest { page_size, account_id, page_token };
            let mut client = world.client();
            async move { client.list_contacts(request).await.map(tonic::Response::into_inner) }
        };
        let ids = |of: &[usize]| of.iter().map(|&at| made[at].contact_id.clone()).collect::<Vec<_>>();
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let page = page(2, "", &token).await.unwrap();
            found.extend(page.contacts.into_iter().map(|contact| contact.contact_id));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(found, ids(&[4, 3, 2, 1, 0]));
        let of_first = page(0, &made[0].account_id, "").await.unwrap();
        assert_eq!(of_first.contacts.into_iter().map(|one| one.contact_id).collect::<Vec<_>>(), ids(&[4, 2, 0]));
        let token = page(1, "", "").await.unwrap().next_page_token;
        let error = page(1, &made[0].account_id, &token).await.unwrap_err();
        assert_eq!(reason(&error), "INVALID_PAGE_TOKEN");
        assert_eq!(fields(&page(1, "me", "").await.unwrap_err()), ["account_id"]);
    }

    async fn a_query_that_makes_no_sense_is_refused_by_its_field(database) {
        let world = World::start(database).await;
        seven(&world).await;
        let ask = |request: ListAccountsRequest| {
            let mut client = world.client();
            async move { client.list_accounts(request).await.map(tonic::Response::into_inner) }
        };
        let query = ListAccountsRequest { page_size: 2, ..Default::default() };
        let page_token = ask(query.clone()).await.unwrap().next_page_token;
        // A token belongs to its query; the size of the pages may change.
        ask(ListAccountsRequest { page_size: 3, page_token: page_token.clone(), ..Default::default() }).await.unwrap();
        let of_another = ListAccountsRequest { country: "DE".into(), page_token, ..query.clone() };
        for (request, expected, field) in [
            (of_another, "INVALID_PAGE_TOKEN", "page_token"),
            (ListAccountsRequest { page_token: "mine".into(), ..query.clone() }, "INVALID_PAGE_TOKEN", "page_token"),
            (ListAccountsRequest { page_size: -1, ..Default::default() }, "INVALID_FIELD", "page_size"),
            (ListAccountsRequest { name_prefix: "a\u{0}".into(), ..query.clone() }, "INVALID_FIELD", "name_prefix"),
            (ListAccountsRequest { owner_rep: "a\u{0}".into(), ..query.clone() }, "INVALID_FIELD", "owner_rep"),
            (ListAccountsRequest { country: "Germany".into(), ..query }, "INVALID_COUNTRY", "country"),
        ] {
            let error = ask(request).await.unwrap_err();
            assert_eq!((error.code(), reason(&error).as_str()), (Code::InvalidArgument, expected));
            assert_eq!(fields(&error), [field]);
        }
    }
}
