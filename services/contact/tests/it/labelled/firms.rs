//! Firms and houses: names with and without legal forms, branches, one name in two countries.

use leadflow_contact::domain::Claim;

use super::{Dice, Labelled, slips};

const BEGIN: [&str; 44] = [
    "Alpen", "Baltic", "Cobalt", "Delphi", "Eiger", "Fontaine", "Gannet", "Hanse", "Ibis", "Juniper", "Kestrel",
    "Lumen", "Merlin", "Nimbus", "Orion", "Pelikan", "Quarz", "Rialto", "Sirius", "Tundra", "Umbra", "Vesper",
    "Wolfram", "Xenon", "Ypsilon", "Zephyr", "Anker", "Bravo", "Corvus", "Dorado", "Elbe", "Falken", "Granit", "Helio",
    "Isar", "Jade", "Krone", "Lotus", "Monsun", "Nautilus", "Opal", "Prisma", "Rubin", "Saphir",
];
const MIDDLE: [&str; 22] = [
    "", "", "", "haus", "tec", "med", "chem", "plast", "line", "pro", "soft", "werk", "point", "gate", "well", "stone",
    "light", "mark", "ware", "lab", "sun", "fix",
];
const LINES: [&str; 20] = [
    "Optics",
    "Grill",
    "Logistics",
    "Bakery",
    "Pumps",
    "Instruments",
    "Foods",
    "Kitchen",
    "Printing",
    "Tooling",
    "Hotel",
    "Software",
    "Valves",
    "Textiles",
    "Ceramics",
    "Brewery",
    "Cafe",
    "Coatings",
    "Trading",
    "Robotics",
];
const FORMS: [&str; 10] = ["", "", "GmbH", "AG", "Ltd", "Inc.", "S.A.", "B.V.", "GmbH & Co. KG", "LLC"];
const CITIES: [(&str, &str, &str); 10] = [
    ("Hamburg", "DE", "20"),
    ("München", "DE", "80"),
    ("Zürich", "CH", "80"),
    ("Lyon", "FR", "69"),
    ("Leeds", "GB", "11"),
    ("Boston", "US", "21"),
    ("Atlanta", "US", "30"),
    ("Utrecht", "NL", "35"),
    ("Linz", "AT", "40"),
    ("Köln", "DE", "50"),
];

/// Firms, told once or twice; some with the name of another one elsewhere.
pub(crate) fn firms(seed: u64) -> Vec<Labelled> {
    let mut dice = Dice::new(seed);
    let mut all = Vec::new();
    let (mut name, mut names) = (String::new(), std::collections::HashSet::from([String::new()]));
    for who in 0..700 {
        // Of thirty, one has the name of the one before, in another town or country.
        let twin = who % 30 == 29;
        while !twin && !names.insert(name.clone()) {
            name = format!("{}{} {}", dice.one_of(&BEGIN), dice.one_of(&MIDDLE), dice.one_of(&LINES));
        }
        let (city, country, code) = CITIES[(dice.below(5) * 2 + usize::from(twin)) % 10];
        let one = Claim {
            company: format!("{name} {}", dice.one_of(&FORMS)).trim().to_owned(),
            street: format!(
                "{} {} Street",
                1 + dice.below(300),
                dice.one_of(&["Harbour", "Mill", "Canal", "Market", "Foundry", "Orchard"])
            ),
            city: city.to_owned(),
            country: country.to_owned(),
            postal_code: format!("{code}{:03}", dice.below(1000)),
            phone: Some(format!("+4940{:07}", 3_000_000 + who * 7)),
            ..Claim::default()
        };
        all.push(Labelled { who, claim: one.clone() });
        if dice.percent(45) {
            all.push(Labelled { who, claim: again(&one, &name, &mut dice) });
        }
    }
    dice.shuffle(&mut all);
    all
}

fn again(one: &Claim, name: &str, dice: &mut Dice) -> Claim {
    let mut said = Claim { company: format!("{name} {}", dice.one_of(&FORMS)).trim().to_owned(), ..one.clone() };
    if dice.percent(10) {
        said.company = format!("The {}", said.company);
    }
    if dice.percent(8) {
        said.company = said.company.split(' ').rev().collect::<Vec<_>>().join(" ");
    }
    slips::maybe(&mut said.company, 15, dice);
    slips::maybe(&mut said.street, 10, dice);
    if dice.percent(40) {
        said.street = said.street.replace("Street", "St.");
    }
    said.phone = said.phone.filter(|_| dice.percent(70));
    if dice.percent(10) {
        said.postal_code.clear();
    }
    if dice.percent(10) {
        said.street.clear();
    }
    said
}

/// Restaurants in two guides: each writes names, towns and kinds in its own way, and a grand hotel has three of them.
pub(crate) fn houses(seed: u64) -> Vec<Labelled> {
    let mut dice = Dice::new(seed);
    let mut all = Vec::new();
    let mut names = std::collections::HashSet::new();
    for who in 0..600 {
        let mut name = format!("{}{}", dice.one_of(&BEGIN), dice.one_of(&MIDDLE));
        if !names.insert(name.clone()) {
            name = format!("{name} {} {}", dice.one_of(&["House", "Garden", "Terrace", "Mill"]), who);
        }
        let (city, country, _) = CITIES[dice.below(10)];
        let one = Claim {
            company: format!("{name} {}", dice.one_of(&["Restaurant", "Grill", "Cafe", "Brasserie"])),
            street: format!(
                "{} {} St.",
                1 + dice.below(900),
                dice.one_of(&["W. 54th", "Harbour", "E. 58th", "Mill", "Market"])
            ),
            city: city.to_owned(),
            country: country.to_owned(),
            phone: Some(format!("+4940{:07}", 3_000_000 + who * 11)),
            ..Claim::default()
        };
        if who % 60 == 0 {
            // Three doors of one hotel.
            for (at, door) in ["Grill", "Rooftop", "Cellar"].into_iter().enumerate() {
                let door = Claim { company: format!("{name} {door}"), ..one.clone() };
                all.push(Labelled { who: 10_000 + who * 3 + at, claim: door });
            }
            continue;
        }
        all.push(Labelled { who, claim: one.clone() });
        if dice.percent(40) {
            all.push(Labelled { who, claim: reviewed(&one, &name, &mut dice) });
        }
    }
    dice.shuffle(&mut all);
    all
}

fn reviewed(one: &Claim, name: &str, dice: &mut Dice) -> Claim {
    let mut said = one.clone();
    said.company = match dice.below(5) {
        0 => name.to_owned(),
        1 => format!("{name} ({})", one.city),
        2 => format!("The {}", one.company),
        3 => format!("{} {name}", one.company.rsplit(' ').next().unwrap_or_default()),
        _ => one.company.clone(),
    };
    slips::maybe(&mut said.street, 10, dice);
    if dice.percent(20) {
        said.street = said.street.replace("St.", "Street at the corner");
    }
    said.phone = said.phone.filter(|_| dice.percent(80));
    said
}
