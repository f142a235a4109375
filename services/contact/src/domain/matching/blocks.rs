//! Blocks: what two descriptions of one have in common nearly always, so that only those that share a block are
//! compared. Several, because each may be spoilt by a slip.

use sha2::{Digest as _, Sha256};

use super::{
    details::{Profile, Subject},
    street::Street,
    text::{sound, start},
};

/// The number of a block.
pub type Block = i64;

/// How many a block may hold. A fuller one says nothing, and would make each search dearer than the last.
pub const MAX_BLOCK: usize = 50;

/// The blocks of a description, without repetition.
pub fn blocks(subject: Subject, profile: &Profile) -> Vec<Block> {
    let mut texts = match subject {
        Subject::Person => of_person(profile),
        Subject::Organisation => of_organisation(profile),
    };
    texts.sort();
    texts.dedup();
    let number = |text: &String| {
        let digest = Sha256::digest(format!("{subject:?} {text}"));
        i64::from_le_bytes(digest[..8].try_into().unwrap_or_default())
    };
    texts.iter().map(number).collect()
}

fn of_person(profile: &Profile) -> Vec<String> {
    let (name, place) = (&profile.name, &profile.place);
    // Given and family name may have changed places, so they go the same ways.
    let names: Vec<&String> = name.given.iter().take(1).chain(name.family.iter()).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let mut sounds: Vec<_> = names.iter().map(|name| sound(name)).collect();
    sounds.sort();
    let mut all = vec![format!("names {}", sounds.join(" "))];
    let mut initials: Vec<_> = names.iter().map(|name| start(name, 1)).collect();
    initials.sort_unstable();
    // Digits change places more often than they become others.
    let mut code: Vec<char> = place.postal_code.chars().collect();
    code.sort_unstable();
    let code = String::from_iter(code);
    if !code.is_empty() {
        all.push(format!("initials {code} {}", initials.concat()));
    }
    for name in &names {
        if !code.is_empty() {
            all.push(format!("code {code} {}", start(name, 2)));
        }
        if !place.city.is_empty() {
            all.push(format!("city {} {}", start(&place.city, 4), start(name, 3)));
        }
        if let Some(word) = profile.company.rarest() {
            all.push(format!("company {} {}", start(word, 5), start(name, 3)));
        }
        all.extend(profile.details.domains.iter().map(|domain| format!("domain {domain} {}", start(name, 3))));
        let street = place.street.name.iter().take(2);
        all.extend(street.map(|word| format!("street {} {}", start(word, 4), start(name, 3))));
    }
    all.extend(of_house(&place.street));
    all.extend(of_phones(profile));
    all.extend(of_own(profile, &names));
    let written = (&name.given, &name.family, &profile.company, &place.postal_code, &place.city, &place.street);
    all.push(format!("exactly {written:?}"));
    all
}

/// The house by each word of its street, because one of them may be spoilt.
fn of_house(street: &Street) -> impl Iterator<Item = String> {
    street.name.iter().take(2).map(|word| format!("house {} {}", street.number, start(word, 4)))
}

/// What is the person's own; the day of birth also in parts, each with a name, because a part may be spoilt.
fn of_own(profile: &Profile, names: &[&String]) -> Vec<String> {
    let mut all = Vec::new();
    if !profile.number.is_empty() {
        all.push(format!("number {}", profile.number));
    }
    if let (Some(month), Some(year), Some(day)) = (profile.day.get(..6), profile.day.get(..4), profile.day.get(4..)) {
        all.push(format!("born {month}{day}"));
        for name in names {
            all.push(format!("month {month} {}", start(name, 2)));
            all.push(format!("birthday {day} {}", start(name, 2)));
            all.push(format!("year {year} {}", start(name, 4)));
        }
    }
    all
}

fn of_organisation(profile: &Profile) -> Vec<String> {
    let (company, place) = (&profile.company, &profile.place);
    if company.is_empty() {
        return Vec::new();
    }
    let mut all = vec![format!("name {}", company.words().concat())];
    for word in company.words().iter().take(6) {
        if !place.city.is_empty() {
            all.push(format!("city {} {}", start(&place.city, 5), start(word, 5)));
        }
        if !place.postal_code.is_empty() {
            all.push(format!("code {} {}", place.postal_code, start(word, 3)));
        }
    }
    // Names that are long enough to be told by themselves.
    for pair in company.words().windows(2).take(6) {
        all.push(format!("words {} {}", start(&pair[0], 6), start(&pair[1], 6)));
    }
    all.extend(company.rarest().map(|word| format!("word {}", sound(word))));
    all.extend(of_house(&place.street));
    all.extend(of_phones(profile));
    all
}

/// The last digits, which are there whether or not the country's code is.
fn of_phones(profile: &Profile) -> impl Iterator<Item = String> {
    profile.phones.iter().map(|digits| format!("phone {}", &digits[digits.len().saturating_sub(8)..]))
}
