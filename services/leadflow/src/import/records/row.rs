//! What a line says: an account or a contact, or what is wrong with it.

use std::collections::{BTreeMap, HashMap};

use leadflow_proto::{activity::v1::FieldType, contact::v1 as pb};

use super::{
    field::{Kind, Word},
    remark::{self, Noticed},
};
use crate::import::{
    guess::normal,
    mapping::Values,
    row::split_name,
    table::Line,
    value::{typed, yes_or_no},
};

/// How the lines of one file become accounts or contacts.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) kind: Kind,
    pub(crate) header: Vec<String>,
    /// The word of each column.
    pub(crate) columns: Vec<Word>,
    pub(crate) values: Values<Word>,
    /// The types of the declared fields of the profile, by name.
    pub(crate) profile: BTreeMap<String, pb::ProfileFieldType>,
}

/// What is wrong with one field of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) word: Word,
    pub(crate) message: String,
}

/// What a line says, with what looks wrong in it.
pub(crate) type Read<T> = Result<(T, Vec<Noticed>), Vec<Problem>>;

impl Reading {
    /// What a line says under a word, in the words of the mapping's values; none when it says nothing.
    pub(crate) fn text(&self, line: &Line, word: Word) -> Option<String> {
        let index = self.columns.iter().position(|column| *column == word)?;
        let text = line.cells.get(index).filter(|text| !text.is_empty())?;
        let other = self.values.get(&word).and_then(|words| {
            words.iter().find(|(said, _)| said.to_lowercase() == text.to_lowercase()).map(|(_, meant)| meant.clone())
        });
        Some(other.unwrap_or_else(|| text.clone())).filter(|text| !text.is_empty())
    }

    /// The column of a field as the service names it, such as `lines[3].account.domains[0]`.
    pub(crate) fn column(&self, path: &str) -> String {
        let path = path.split_once("].").map_or(path, |(_, path)| path);
        let name = path.rsplit('.').next().unwrap_or(path).split('[').next().unwrap_or(path);
        let declared = path.starts_with("account.profile.") || path.starts_with("profile.fields.");
        let is_it = |word: &Word| if declared { word.profile() == Some(name) } else { word.0 == name };
        let index = self.columns.iter().position(is_it);
        index.and_then(|index| self.header.get(index)).map_or_else(|| path.to_owned(), Clone::clone)
    }

    /// The account of a line.
    ///
    /// # Errors
    /// All that cannot be read.
    pub(crate) fn account(&self, line: &Line) -> Read<pb::AccountLine> {
        let mut cells = Cells { reading: self, line, problems: Vec::new(), noticed: Vec::new() };
        let industry = cells.text("industry");
        cells.noticed.extend(remark::industry(Word("industry"), &industry));
        let domains = cells.text("domains");
        let in_millions = cells.read("revenue_millions", millions);
        let account = pb::Account {
            account_id: cells.text("account_id"),
            reference: cells.text("reference"),
            name: cells.text("name"),
            domains: domains.split([' ', ',', ';']).filter(|it| !it.is_empty()).map(str::to_owned).collect(),
            country: cells.country("country"),
            region: cells.text("region"),
            postal_code: cells.text("postal_code"),
            street: cells.text("street"),
            city: cells.text("city"),
            industry,
            employees: cells.read("employees", |text| whole(text, "")),
            revenue: cells
                .read("revenue", |text| whole(text, ", or map the column to revenue_millions"))
                .or(in_millions),
            relation: cells.read("relation", relation).unwrap_or_default().into(),
            owner_rep: cells.text("owner_rep"),
            roll_up: cells.read("roll_up", yes_or_no),
            profile: cells.profile(),
            ..pb::Account::default()
        };
        let parent = cells.text("parent");
        cells.finish(pb::AccountLine { account: Some(account), parent })
    }

    /// The contact of a line.
    ///
    /// # Errors
    /// All that cannot be read.
    pub(crate) fn contact(&self, line: &Line) -> Read<pb::ContactLine> {
        let mut cells = Cells { reading: self, line, problems: Vec::new(), noticed: Vec::new() };
        let (given, family) = split_name(&cells.text("full_name"));
        let or = |text: String, other: String| if text.is_empty() { other } else { text };
        let country = cells.country("country");
        let identity = pb::Identity {
            email: cells.text("email"),
            phone: cells.text("phone"),
            external_id: cells.text("external_id"),
            anonymous_id: cells.text("anonymous_id"),
            domain: cells.text("domain"),
            company: cells.text("company"),
            country: country.clone(),
            region: cells.text("region"),
            postal_code: cells.text("postal_code"),
            street: cells.text("street"),
            city: cells.text("city"),
            given_name: or(cells.text("given_name"), given),
            family_name: or(cells.text("family_name"), family),
            job_title: cells.text("job_title"),
            ..pb::Identity::default()
        };
        let profile = pb::ContactProfile {
            role: cells.slug("role"),
            function: cells.slug("function"),
            seniority: cells.slug("seniority"),
            stage: cells.read("stage", stage).unwrap_or_default(),
            country,
            fields: cells.profile(),
        };
        let account = cells.text("account");
        cells.finish(pb::ContactLine { identity: Some(identity), profile: Some(profile), account })
    }
}

/// One line, and what was wrong or looked wrong with it so far.
struct Cells<'a> {
    reading: &'a Reading,
    line: &'a Line,
    problems: Vec<Problem>,
    noticed: Vec<Noticed>,
}

impl Cells<'_> {
    fn text(&self, word: &'static str) -> String {
        self.reading.text(self.line, Word(word)).unwrap_or_default()
    }

    /// A word as rules compare it: `Decision maker` is `decision_maker`.
    fn slug(&self, word: &'static str) -> String {
        normal(&self.text(word)).replace(' ', "_")
    }

    fn read<T>(&mut self, word: &'static str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.reading.text(self.line, Word(word))?;
        read(&text).map_err(|message| self.problems.push(Problem { word: Word(word), message })).ok()
    }

    /// What the line says of declared fields, in their types; what nobody has declared is for the service to refuse.
    fn profile(&mut self) -> HashMap<String, prost_types::Value> {
        let reading = self.reading;
        let mut said = HashMap::new();
        for (word, name) in reading.columns.iter().filter_map(|word| Some((*word, word.profile()?))) {
            let Some(text) = reading.text(self.line, word) else { continue };
            let declared = reading.profile.get(name).map(|declared| match declared {
                pb::ProfileFieldType::Number => FieldType::Number,
                pb::ProfileFieldType::Bool => FieldType::Bool,
                pb::ProfileFieldType::String | pb::ProfileFieldType::Enum | pb::ProfileFieldType::Unspecified => {
                    FieldType::String
                }
            });
            match typed(&text, declared) {
                Ok(value) => drop(said.insert(name.to_owned(), value)),
                Err(message) => self.problems.push(Problem { word, message }),
            }
        }
        said
    }

    fn country(&mut self, word: &'static str) -> String {
        let Some(text) = self.reading.text(self.line, Word(word)) else { return String::new() };
        match remark::country(Word(word), &text) {
            Ok(code) => code.to_owned(),
            Err(noticed) => {
                self.noticed.push(noticed);
                String::new()
            }
        }
    }

    fn finish<T>(self, message: T) -> Read<T> {
        if self.problems.is_empty() { Ok((message, self.noticed)) } else { Err(self.problems) }
    }
}

fn whole(text: &str, hint: &str) -> Result<i64, String> {
    let problem = || format!("`{text}` is no whole number: write it as 40000, without unit and separators{hint}");
    text.parse().map_err(|_| problem())
}

fn millions(text: &str) -> Result<i64, String> {
    let problem = || format!("`{text}` is no number: write it as 1250 or 12.5, in millions");
    let number: f64 = text.parse().map_err(|_| problem())?;
    // Beyond this a number of whole units is not exact.
    if number.abs() < 9e9 { Ok((number * 1e6).round() as i64) } else { Err(problem()) }
}

fn relation(text: &str) -> Result<pb::Relation, String> {
    match normal(text).as_str() {
        "prospect" | "lead" | "interessent" => Ok(pb::Relation::Prospect),
        "customer" | "client" | "kunde" => Ok(pb::Relation::Customer),
        "former customer" | "lost customer" | "ex customer" | "ehemaliger kunde" => Ok(pb::Relation::FormerCustomer),
        _ => Err(format!(
            "`{text}` is no relation: write prospect, customer or former_customer, or put it under `values` of the mapping"
        )),
    }
}

/// The person's own stage, in the words of an account's.
fn stage(text: &str) -> Result<String, String> {
    let relation = relation(text).map_err(|_| {
        format!(
            "`{text}` is no stage: write prospect, customer or former_customer, or put it under `values` of the mapping"
        )
    })?;
    Ok(crate::output::word(relation.as_str_name(), "RELATION_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(kind: Kind, columns: &[&'static str]) -> Reading {
        let columns: Vec<_> = columns.iter().map(|word| Word(word)).collect();
        let header = columns.iter().map(|word| format!("The {word}")).collect();
        Reading { kind, header, columns, values: Values::default(), profile: BTreeMap::new() }
    }

    fn line(cells: &[&str]) -> Line {
        Line { number: 2, cells: cells.iter().map(|cell| (*cell).to_owned()).collect(), problem: None }
    }

    #[test]
    fn a_line_becomes_an_account() {
        let mut reading = reading(
            Kind::Accounts,
            &["name", "industry", "revenue_millions", "employees", "country", "parent", "domains", "relation"],
        );
        let said = line(&[
            "Works",
            "technolgy",
            "1100.04",
            "2822",
            "Korea",
            "Group",
            "works.de, works.com",
            "Former customer",
        ]);
        let (read, noticed) = reading.account(&said).unwrap();
        let expected = pb::Account {
            name: "Works".into(),
            industry: "technolgy".into(),
            revenue: Some(1_100_040_000),
            employees: Some(2_822),
            domains: vec!["works.de".into(), "works.com".into()],
            relation: pb::Relation::FormerCustomer.into(),
            ..pb::Account::default()
        };
        assert_eq!((read.account, read.parent.as_str()), (Some(expected), "Group"));
        assert_eq!(noticed.iter().map(|it| it.0.0).collect::<Vec<_>>(), ["industry", "country"]);

        // In the words of a mapping nothing is wrong any more.
        let words = |said: &str, meant: &str| [(said.to_owned(), meant.to_owned())].into();
        reading.values.insert(Word("country"), words("korea", "KR"));
        reading.values.insert(Word("industry"), words("technolgy", "technology"));
        let (read, noticed) = reading.account(&said).unwrap();
        let account = read.account.unwrap();
        assert_eq!((account.country.as_str(), account.industry.as_str(), noticed.len()), ("KR", "technology", 0));
    }

    #[test]
    fn a_line_becomes_a_contact_with_a_stage_of_its_own() {
        let reading = reading(Kind::Contacts, &["email", "full_name", "role", "stage", "country", "account"]);
        let said = line(&["ada@works.de", "Ada Lovelace", "Decision maker", "Customer", "Germany", "10023"]);
        let (read, noticed) = reading.contact(&said).unwrap();
        let (identity, profile) = (read.identity.unwrap(), read.profile.unwrap());
        assert_eq!((identity.given_name.as_str(), identity.family_name.as_str()), ("Ada", "Lovelace"));
        assert_eq!((profile.role.as_str(), profile.stage.as_str()), ("decision_maker", "customer"));
        assert_eq!((profile.country.as_str(), read.account.as_str(), noticed.len()), ("DE", "10023", 0));
    }

    #[test]
    fn declared_fields_of_the_profile_are_read_in_their_types() {
        let columns = ["name", "profile.fleet", "profile.segment", "profile.leasing"];
        let mut reading = reading(Kind::Accounts, &columns);
        let declared = [("fleet", pb::ProfileFieldType::Number), ("leasing", pb::ProfileFieldType::Bool)];
        reading.profile = declared.map(|(name, kind)| (name.to_owned(), kind)).into();
        let (read, _) = reading.account(&line(&["Works", "12", "key", "ja"])).unwrap();
        let said = leadflow_platform::value::map_from_proto("profile", &read.account.unwrap().profile).unwrap();
        assert_eq!(serde_json::json!(said), serde_json::json!({"fleet": 12.0, "segment": "key", "leasing": true}));
        let problems = reading.account(&line(&["Works", "many", "", ""])).unwrap_err();
        assert_eq!(problems[0].word.0, "profile.fleet");
        assert_eq!(reading.column("lines[3].account.profile.segment"), "The profile.segment");
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_column() {
        let reading = reading(Kind::Accounts, &["name", "revenue", "employees", "relation"]);
        let problems = reading.account(&line(&["Works", "1100.04", "2,822", "friend"])).unwrap_err();
        assert_eq!(problems.iter().map(|it| it.word.0).collect::<Vec<_>>(), ["employees", "revenue", "relation"]);
        assert!(problems[1].message.contains("revenue_millions"), "{}", problems[1].message);
        assert_eq!(reading.column("lines[3].account.revenue"), "The revenue");
        assert_eq!(reading.column("lines[3].account.domains[0]"), "account.domains[0]");
    }
}
