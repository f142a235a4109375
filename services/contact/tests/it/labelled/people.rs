//! People at home and at work.

use leadflow_contact::domain::Claim;

use super::{Dice, Labelled, slips};

/// The more frequent ones first; pairs of brothers and sisters are made from the same pool.
const GIVEN: [&str; 96] = [
    "Michael",
    "Mary",
    "James",
    "Anna",
    "John",
    "Patricia",
    "Robert",
    "Linda",
    "David",
    "Elizabeth",
    "William",
    "Susan",
    "Thomas",
    "Julia",
    "Daniel",
    "Sarah",
    "Matthew",
    "Karen",
    "Christopher",
    "Lisa",
    "Andrew",
    "Nancy",
    "Joseph",
    "Emma",
    "Jessica",
    "Joshua",
    "Ashley",
    "Tyler",
    "Katharina",
    "Stefan",
    "Sabine",
    "Wolfgang",
    "Jan",
    "Jana",
    "Tim",
    "Tom",
    "Max",
    "Marc",
    "Hanna",
    "Johanna",
    "Marie",
    "Maria",
    "Martin",
    "Martina",
    "Daniela",
    "Christine",
    "Christina",
    "Niamh",
    "Lachlan",
    "Isabella",
    "Ella",
    "Olivia",
    "Mitchell",
    "Brayden",
    "Caitlin",
    "Zoe",
    "Declan",
    "Ngoc",
    "Priya",
    "Arjun",
    "Wei",
    "Mei",
    "Fatima",
    "Omar",
    "Yusuf",
    "Aleksandra",
    "Zofia",
    "Jakub",
    "Giulia",
    "Matteo",
    "Chiara",
    "Lucía",
    "Javier",
    "Sofía",
    "Agnès",
    "Étienne",
    "Solveig",
    "Torbjørn",
    "Svetlana",
    "Dmitri",
    "Oksana",
    "Kenji",
    "Haruka",
    "Ingeborg",
    "Reinhold",
    "Friederike",
    "Gerlinde",
    "Eberhard",
    "Cornelius",
    "Thaddeus",
    "Winifred",
    "Ambrose",
    "Philippa",
    "Barnaby",
    "Araminta",
    "Quentin",
];
const SHORT: [(&str, &str); 16] = [
    ("Michael", "Mike"),
    ("Robert", "Bob"),
    ("William", "Bill"),
    ("James", "Jim"),
    ("Elizabeth", "Liz"),
    ("Thomas", "Tom"),
    ("Daniel", "Dan"),
    ("Matthew", "Matt"),
    ("Christopher", "Chris"),
    ("Andrew", "Andy"),
    ("Joseph", "Joe"),
    ("Katharina", "Kathi"),
    ("Susan", "Sue"),
    ("Patricia", "Pat"),
    ("Jessica", "Jess"),
    ("Philippa", "Pippa"),
];
const FREQUENT_FAMILY: [&str; 40] = [
    "Smith", "Müller", "Johnson", "Schmidt", "Williams", "Brown", "Jones", "Nguyen", "Garcia", "Miller", "Davis",
    "Weber", "Wilson", "Meyer", "Taylor", "Fischer", "Moore", "Wagner", "White", "Martin", "Thompson", "Becker",
    "Clark", "Lewis", "Hoffmann", "Walker", "Schulz", "Hall", "Young", "Koch", "King", "Wright", "Bauer", "Scott",
    "Green", "Richter", "Baker", "Adams", "Nelson", "Klein",
];
const BEGIN: [&str; 40] = [
    "Hal", "Brok", "Oster", "Wester", "Lind", "Kel", "Marsh", "Thorn", "Ash", "Wex", "Cald", "Fenn", "Grim", "Hart",
    "Ing", "Jost", "Kirch", "Lang", "Mittel", "Nord", "Ober", "Pfeif", "Quint", "Rosen", "Stein", "Tann", "Ull",
    "Vand", "Wall", "Zell", "Bel", "Cor", "Dal", "Es", "Fal", "Gar", "Hav", "Il", "Jar", "Kov",
];
const END: [&str; 36] = [
    "berg", "field", "er", "mann", "ford", "wood", "ley", "stein", "bach", "quist", "sen", "ski", "ova", "ini", "etti",
    "eira", "ton", "worth", "bridge", "croft", "hurst", "meier", "hofer", "acker", "strom", "dahl", "holm", "gren",
    "vik", "land", "mond", "lain", "court", "ville", "rath", "low",
];
const CITIES: [(&str, &str, &str); 24] = [
    ("Ashcombe", "NSW", "20"),
    ("Port Fenwick", "NSW", "21"),
    ("Saint Albans", "VIC", "30"),
    ("Broadmeadow", "VIC", "31"),
    ("Kelvin Heights", "QLD", "40"),
    ("Moorebank", "QLD", "41"),
    ("Lake Torrens", "SA", "50"),
    ("Mount Aldern", "WA", "60"),
    ("Riverton", "TAS", "70"),
    ("North Hadley", "ACT", "26"),
    ("Westerfeld", "NSW", "22"),
    ("Hohenried", "VIC", "32"),
    ("Marlow Bay", "QLD", "42"),
    ("Cedar Point", "SA", "51"),
    ("Old Wexford", "WA", "61"),
    ("Glen Orchy", "TAS", "71"),
    ("Springvale", "NSW", "23"),
    ("Dunmore", "VIC", "33"),
    ("Eastbrook", "QLD", "43"),
    ("Tallow Creek", "SA", "52"),
    ("Burnham", "WA", "62"),
    ("Harrowgate", "TAS", "72"),
    ("Kingsmead", "NSW", "24"),
    ("Orford", "VIC", "34"),
];
const STREETS: [&str; 48] = [
    "Chisholm",
    "Maitland",
    "Hardwick",
    "Alder",
    "Birch",
    "Station",
    "Church",
    "Mill",
    "Victoria",
    "Park",
    "Windsor",
    "Bellbird",
    "Kookaburra",
    "Lindenau",
    "Goethe",
    "Schiller",
    "Ringwood",
    "Banksia",
    "Wattle",
    "Jacaranda",
    "Copeland",
    "Streeton",
    "Namatjira",
    "Burdekin",
    "Derwent",
    "Murray",
    "Lachlan",
    "Tamar",
    "Esk",
    "Barwon",
    "Fraser",
    "Stirling",
    "Gordon",
    "Macleay",
    "Hunter",
    "Phillip",
    "Lawson",
    "Paterson",
    "Gilmore",
    "Wright",
    "Franklin",
    "Flinders",
    "Baudin",
    "Freycinet",
    "Dampier",
    "Hartog",
    "Tasman",
    "Torres",
];
const KINDS: [(&str, &str); 6] =
    [("Street", "St"), ("Road", "Rd"), ("Avenue", "Ave"), ("Crescent", "Cres"), ("Place", "Pl"), ("Drive", "Dr")];

/// The frequent ones far more often.
pub(super) fn any_given_name(dice: &mut Dice) -> String {
    (*dice.frequent(&GIVEN)).to_owned()
}

pub(super) fn family(dice: &mut Dice) -> String {
    if dice.percent(35) {
        dice.frequent(&FREQUENT_FAMILY).to_string()
    } else {
        format!("{}{}", dice.one_of(&BEGIN), dice.one_of(&END))
    }
}

/// People who live in households: most alone, many with others of the same name and address.
pub(super) fn residents(count: usize, dice: &mut Dice) -> Vec<Claim> {
    let mut all: Vec<Claim> = Vec::new();
    while all.len() < count {
        let (city, region, code) = *dice.one_of(&CITIES);
        let home = Claim {
            family_name: family(dice),
            street: format!("{} {} {}", 1 + dice.below(180), dice.one_of(&STREETS), dice.one_of(&KINDS).0),
            city: city.to_owned(),
            postal_code: format!("{code}{:02}", dice.below(12)),
            region: region.to_owned(),
            country: "AU".to_owned(),
            ..Claim::default()
        };
        let mut names: Vec<&str> = Vec::new();
        for _ in 0..*dice.one_of(&[1, 1, 1, 2, 2, 3]) {
            let name = *dice.frequent(&GIVEN);
            // Two of one name in one household are told apart by nothing here.
            if !names.contains(&name) {
                names.push(name);
            }
        }
        all.extend(names.into_iter().map(|name| Claim { given_name: name.to_owned(), ..home.clone() }));
    }
    all.truncate(count);
    all
}

/// Another description of the same person.
fn again(one: &Claim, slips: usize, dice: &mut Dice) -> Claim {
    let mut said = one.clone();
    if dice.percent(6)
        && let Some((_, short)) = SHORT.iter().find(|(long, _)| *long == said.given_name)
    {
        said.given_name = (*short).to_owned();
    }
    if dice.percent(2) {
        said.given_name = format!("{} {}.", said.given_name, char::from(b'A' + dice.below(26) as u8));
    }
    if dice.percent(3) {
        std::mem::swap(&mut said.given_name, &mut said.family_name);
    }
    slips::maybe(&mut said.given_name, slips, dice);
    slips::maybe(&mut said.family_name, slips, dice);
    slips::maybe(&mut said.city, slips, dice);
    if !said.street.is_empty() {
        if dice.percent(30) {
            let (long, short) = dice.one_of(&KINDS);
            said.street = said.street.replace(long, short);
        }
        slips::maybe(&mut said.street, slips, dice);
        if dice.percent(4) {
            said.street.clear();
        }
    }
    if dice.percent(slips / 2) {
        said.postal_code = slips::wrong_digit(&said.postal_code, dice);
    }
    if dice.percent(2) {
        said.postal_code.clear();
    }
    if dice.percent(1) {
        said.given_name.clear();
    } else if dice.percent(1) {
        said.family_name.clear();
    }
    said
}

fn repeated(people: &[Claim], share: usize, most: usize, slips: usize, dice: &mut Dice) -> Vec<Labelled> {
    let mut all = Vec::new();
    for (who, one) in people.iter().enumerate() {
        all.push(Labelled { who, claim: one.clone() });
        if dice.percent(share) {
            for _ in 0..1 + dice.below(most) {
                all.push(Labelled { who, claim: again(one, slips, dice) });
            }
        }
    }
    dice.shuffle(&mut all);
    all
}

/// A register of residents with addresses.
pub(crate) fn registry(seed: u64) -> Vec<Labelled> {
    let mut dice = Dice::new(seed);
    let people = residents(1_000, &mut dice);
    repeated(&people, 60, 3, 18, &mut dice)
}

/// A list of voters: names, towns and postal codes.
pub(crate) fn voters(seed: u64) -> Vec<Labelled> {
    let mut dice = Dice::new(seed);
    let mut people = residents(1_500, &mut dice);
    people.iter_mut().for_each(|one| one.street.clear());
    // Who has the name of another in the same town is told apart by nothing.
    let mut seen = std::collections::HashSet::new();
    people.retain(|one| seen.insert((one.given_name.clone(), one.family_name.clone(), one.city.clone())));
    repeated(&people, 40, 1, 12, &mut dice)
}

/// Buyers of firms, each firm with one switchboard: badge scans, forms and calls.
pub(crate) fn buyers(seed: u64) -> Vec<Labelled> {
    let mut dice = Dice::new(seed);
    let mut people = Vec::new();
    for firm in 0..30 {
        let name = format!(
            "{}{} {}",
            dice.one_of(&BEGIN),
            dice.one_of(&END),
            dice.one_of(&["Chemicals", "Analytics", "Foods", "Pharma", "Coatings"])
        );
        let site = Claim {
            company: name,
            country: (*dice.one_of(&["DE", "US", "GB", "FR"])).to_owned(),
            phone: Some(format!("+4930{:07}", 2_000_000 + firm)),
            postal_code: format!("{:05}", 10_000 + dice.below(80_000)),
            ..Claim::default()
        };
        let staff = if firm % 15 == 0 { 40 } else { 3 + dice.below(20) };
        let mut names = std::collections::HashSet::new();
        for at in 0..staff {
            let (given, family) = (*dice.frequent(&GIVEN), family(&mut dice));
            if names.insert((given, family.clone())) {
                let email = format!("{}.{}@firm-{firm}.example", given.to_lowercase(), at);
                people.push(Claim {
                    given_name: given.to_owned(),
                    family_name: family,
                    email: Some(email),
                    ..site.clone()
                });
            }
        }
    }
    let mut all = Vec::new();
    for (who, one) in people.into_iter().enumerate() {
        // Some are first met at a stand, without an address; some have told it before.
        let met = Claim { email: one.email.clone().filter(|_| dice.percent(70)), ..one.clone() };
        all.push(Labelled { who, claim: met });
        if dice.percent(50) {
            let mut said = again(&one, 12, &mut dice);
            slips::maybe(&mut said.company, 10, &mut dice);
            if dice.percent(30) {
                said.company = format!("{} {}", said.company, dice.one_of(&["GmbH", "Inc.", "Ltd", "S.A."]));
            }
            said.email = said.email.filter(|_| dice.percent(30));
            said.phone = said.phone.filter(|_| dice.percent(50));
            all.push(Labelled { who, claim: said });
        }
    }
    dice.shuffle(&mut all);
    all
}
