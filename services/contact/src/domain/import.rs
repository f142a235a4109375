//! Which account a line of a file is about, and what becomes of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use super::{Account, Contact, Key, Relation, normal, profile::Values};

/// An account as a line says it. Empty means not said.
#[derive(Clone, Debug, Default)]
pub struct AccountLine {
    /// By which it is found before all else.
    pub account_id: Option<Uuid>,
    /// All that is said of it.
    pub account: Account,
    /// How it stands to the company, if that is said.
    pub relation: Option<Relation>,
    /// Whether its leads go up to that one, if that is said.
    pub roll_up: Option<bool>,
    /// The account that it belongs to: an id, a reference or a name.
    pub parent: String,
}

/// A person's profile as a line says it, beside who it is. Empty means not said.
#[derive(Clone, Debug, Default)]
pub struct ContactLine {
    /// Names, job title and profile.
    pub said: Contact,
    /// An id or a reference.
    pub account: String,
}

/// Why it cannot be told which account is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// There is none of this id or, for a parent, of this name.
    Unknown,
    /// The domain is that of an account with another reference.
    OtherReference(String),
    /// Several accounts fit.
    Several,
}

/// The accounts that lines may be about, as they are shown. It grows with each line.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    by_id: BTreeMap<Uuid, Account>,
    /// Ids of what was merged, and where they lead.
    merged: HashMap<Uuid, Uuid>,
    by_reference: HashMap<String, Uuid>,
    by_domain: HashMap<String, Uuid>,
    /// By the key of the name: who has it, and in which country.
    by_name: HashMap<String, BTreeSet<(String, Uuid)>>,
}

impl AccountLine {
    /// The known account with what the line says.
    pub fn merged(&self, known: &Account, parent: Option<Uuid>) -> Account {
        let said = |new: &String, known: &String| if new.is_empty() { known.clone() } else { new.clone() };
        let new = &self.account;
        let domains: BTreeSet<_> = known.domains.iter().chain(&new.domains).cloned().collect();
        Account {
            reference: new.reference.clone().or_else(|| known.reference.clone()),
            name: said(&new.name, &known.name),
            domains: domains.into_iter().collect(),
            country: said(&new.country, &known.country),
            region: said(&new.region, &known.region),
            postal_code: said(&new.postal_code, &known.postal_code),
            street: said(&new.street, &known.street),
            city: said(&new.city, &known.city),
            industry: said(&new.industry, &known.industry),
            employees: new.employees.or(known.employees),
            revenue: new.revenue.or(known.revenue),
            relation: self.relation.unwrap_or(known.relation),
            owner_rep: said(&new.owner_rep, &known.owner_rep),
            parent_account_id: parent.or(known.parent_account_id),
            roll_up: self.roll_up.unwrap_or(known.roll_up),
            sites: if new.sites.is_empty() { known.sites.clone() } else { new.sites.clone() },
            profile: with(&known.profile, &new.profile),
            ..known.clone()
        }
    }
}

impl ContactLine {
    /// The known contact with what the line says.
    pub fn merged(&self, known: &Contact, account_id: Option<Uuid>) -> Contact {
        let said = |new: &String, known: &String| if new.is_empty() { known.clone() } else { new.clone() };
        let new = &self.said;
        Contact {
            account_id: account_id.or(known.account_id),
            given_name: said(&new.given_name, &known.given_name),
            family_name: said(&new.family_name, &known.family_name),
            job_title: said(&new.job_title, &known.job_title),
            role: said(&new.role, &known.role),
            function: said(&new.function, &known.function),
            seniority: said(&new.seniority, &known.seniority),
            stage: said(&new.stage, &known.stage),
            country: said(&new.country, &known.country),
            profile: with(&known.profile, &new.profile),
            ..known.clone()
        }
    }
}

/// What is known with what is said.
fn with(known: &Values, said: &Values) -> Values {
    known.iter().chain(said).map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Accounts {
    /// Knows one more account, or how it is now. The ids of `merged` lead to it, and `names` besides its own, each with its
    /// country.
    pub fn insert(
        &mut self,
        account: Account,
        merged: impl IntoIterator<Item = Uuid>,
        names: impl IntoIterator<Item = (String, String)>,
    ) {
        let id = account.account_id;
        if let Some(reference) = &account.reference {
            self.by_reference.insert(reference.clone(), id);
        }
        self.merged.extend(merged.into_iter().map(|side| (side, id)));
        self.by_domain.extend(account.domains.iter().map(|domain| (domain.clone(), id)));
        for (name, country) in names {
            self.by_name.entry(name).or_default().insert((country, id));
        }
        if let Some(Key::Name(name, country)) = account.name_key() {
            self.by_name.entry(name).or_default().insert((country, id));
        }
        self.by_id.insert(id, account);
    }

    /// Where an id leads.
    fn leads_to(&self, id: Uuid) -> Option<Uuid> {
        if self.by_id.contains_key(&id) { Some(id) } else { self.merged.get(&id).copied() }
    }

    /// The account of this id.
    pub fn get(&self, id: Uuid) -> Option<&Account> {
        self.by_id.get(&id)
    }

    /// The account that a line is about; none when it is a new one.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn find(&self, line: &AccountLine) -> Result<Option<Uuid>, Unclear> {
        if let Some(id) = line.account_id {
            return self.leads_to(id).map(Some).ok_or(Unclear::Unknown);
        }
        let said = &line.account;
        if let Some(&id) = said.reference.as_ref().and_then(|reference| self.by_reference.get(reference)) {
            return Ok(Some(id));
        }
        let by_domain: BTreeSet<_> = said.domains.iter().filter_map(|domain| self.by_domain.get(domain)).collect();
        match by_domain.into_iter().collect::<Vec<_>>()[..] {
            [] => self.find_by_name(said),
            [&id] => match self.get(id).and_then(|found| found.reference.clone()) {
                Some(other) if said.reference.is_some() => Err(Unclear::OtherReference(other)),
                _ => Ok(Some(id)),
            },
            _ => Err(Unclear::Several),
        }
    }

    /// A name in a country, or one that was told without a country; without a country in the line it must be the only
    /// account of this name. Never one that a reference or a domain tells to be another.
    fn find_by_name(&self, said: &Account) -> Result<Option<Uuid>, Unclear> {
        let candidate = |id: &Uuid| {
            self.get(*id).is_some_and(|known| {
                (said.reference.is_none() || known.reference.is_none())
                    && (said.domains.is_empty() || known.domains.is_empty())
                    && (said.country.is_empty() || known.country.is_empty() || known.country == said.country)
            })
        };
        let named = self.by_name.get(&normal::company_key(&said.name)).into_iter().flatten();
        let found: BTreeSet<_> = named.map(|(_, id)| *id).filter(candidate).collect();
        let at_home = |id: &Uuid| self.get(*id).is_some_and(|known| known.country == said.country);
        let exact: BTreeSet<_> = found.iter().copied().filter(at_home).collect();
        only(if exact.is_empty() { &found } else { &exact })
    }

    /// The account that is meant by an id, a reference or a name.
    ///
    /// # Errors
    /// When there is none, or that cannot be told.
    pub fn named(&self, text: &str) -> Result<Uuid, Unclear> {
        let by_id = text.parse().ok().and_then(|id| self.leads_to(id));
        if let Some(id) = by_id.or_else(|| self.by_reference.get(text).copied()) {
            return Ok(id);
        }
        let named = self.by_name.get(&normal::company_key(text)).into_iter().flatten();
        only(&named.map(|(_, id)| *id).collect())?.ok_or(Unclear::Unknown)
    }
}

fn only(ids: &BTreeSet<Uuid>) -> Result<Option<Uuid>, Unclear> {
    if ids.len() > 1 { Err(Unclear::Several) } else { Ok(ids.first().copied()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: u128, name: &str, country: &str) -> Account {
        Account { account_id: Uuid::from_u128(id), name: name.into(), country: country.into(), ..Account::default() }
    }

    fn known(accounts: Vec<Account>) -> Accounts {
        let mut known = Accounts::default();
        accounts.into_iter().for_each(|account| known.insert(account, [], []));
        known
    }

    fn line(account: Account) -> AccountLine {
        AccountLine { account: Account { account_id: Uuid::nil(), ..account }, ..AccountLine::default() }
    }

    #[test]
    fn a_reference_counts_more_than_a_domain_and_that_more_than_a_name() {
        let with = |account: Account, reference: Option<&str>, domain: &str| Account {
            reference: reference.map(str::to_owned),
            domains: vec![domain.to_owned()],
            ..account
        };
        let known = known(vec![
            with(account(1, "Works", "DE"), Some("one"), "one.example"),
            with(account(2, "Works", "DE"), None, "two.example"),
            account(3, "Shop", "DE"),
        ]);
        let find = |said: Account| known.find(&line(said)).map(|id| id.map(|id| id.as_u128()));
        assert_eq!(find(with(account(0, "Shop", "DE"), Some("one"), "two.example")), Ok(Some(1)));
        assert_eq!(find(with(account(0, "Shop", "DE"), Some("new"), "two.example")), Ok(Some(2)));
        assert_eq!(find(with(account(0, "Shop", "DE"), None, "new.example")), Ok(Some(3)));
        assert_eq!(
            find(with(account(0, "Works", "DE"), None, "new.example")),
            Ok(None),
            "its domain says it is another"
        );
        let other = find(with(account(0, "Works", "DE"), Some("new"), "one.example"));
        assert_eq!(other, Err(Unclear::OtherReference("one".into())));
    }

    #[test]
    fn a_name_is_read_with_its_country_where_both_have_one() {
        let known = known(vec![account(1, "Works GmbH", "DE"), account(2, "Works", "AT"), account(3, "Shop", "")]);
        let find = |name, country| known.find(&line(account(0, name, country))).map(|id| id.map(|id| id.as_u128()));
        assert_eq!(find("works", "AT"), Ok(Some(2)));
        assert_eq!(find("Works", "FR"), Ok(None));
        assert_eq!(find("Works", ""), Err(Unclear::Several));
        assert_eq!(find("Shop", "FR"), Ok(Some(3)), "whose country nobody has told yet");
        assert_eq!(known.named("Works"), Err(Unclear::Several));
        assert_eq!(known.named("shop"), Ok(Uuid::from_u128(3)));
        assert_eq!(known.named("Nobody"), Err(Unclear::Unknown));
    }

    #[test]
    fn what_a_line_does_not_say_stays() {
        let before = Account {
            domains: vec!["works.example".into()],
            industry: "Chemicals".into(),
            employees: Some(10),
            relation: Relation::Customer,
            ..account(1, "Works", "DE")
        };
        let silent = line(account(0, "", ""));
        assert_eq!(silent.merged(&before, None), before);
        let mut speaking =
            line(Account { employees: Some(20), domains: vec!["a.example".into()], ..account(0, "", "AT") });
        speaking.relation = Some(Relation::FormerCustomer);
        let after = speaking.merged(&before, Some(Uuid::from_u128(9)));
        let expected = Account {
            domains: vec!["a.example".into(), "works.example".into()],
            country: "AT".into(),
            employees: Some(20),
            relation: Relation::FormerCustomer,
            parent_account_id: Some(Uuid::from_u128(9)),
            ..before
        };
        assert_eq!(after, expected);
    }
}
