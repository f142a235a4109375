//! People whom a register knows by the day of birth and a number, with worse slips than elsewhere: other names, names that
//! changed places, twins, fields that are missing.

use leadflow_contact::domain::{Claim, matching::Own};

use super::{
    Dice, Labelled,
    people::{any_given_name, family, residents},
    slips,
};

fn born(dice: &mut Dice) -> String {
    format!("{}{:02}{:02}", 1925 + dice.below(85), 1 + dice.below(12), 1 + dice.below(28))
}

/// Patients of a hospital: households, of which one in twelve has twins.
pub(crate) fn patients(seed: u64) -> Vec<Labelled> {
    let mut dice = Dice::new(seed);
    let mut people = residents(1_000, &mut dice);
    for at in 0..people.len() {
        let same_home = at > 0 && people[at - 1].street == people[at].street;
        let twin = same_home && dice.percent(20);
        let birth_date = if twin { people[at - 1].own.birth_date.clone() } else { born(&mut dice) };
        people[at].own = Own { birth_date, person_number: format!("{:08}", 10_000_000 + dice.below(89_999_999)) };
    }
    let mut all = Vec::new();
    for (who, one) in people.iter().enumerate() {
        all.push(Labelled { who, claim: one.clone() });
        for _ in 0..*dice.one_of(&[0, 1, 1, 2, 3]) {
            all.push(Labelled { who, claim: admitted_again(one, &mut dice) });
        }
    }
    dice.shuffle(&mut all);
    all
}

fn admitted_again(one: &Claim, dice: &mut Dice) -> Claim {
    let mut said = one.clone();
    if dice.percent(5) {
        said.given_name = any_given_name(dice);
    }
    if dice.percent(4) {
        said.family_name = family(dice);
    }
    if dice.percent(8) {
        std::mem::swap(&mut said.given_name, &mut said.family_name);
    }
    for field in [&mut said.given_name, &mut said.family_name, &mut said.street, &mut said.city] {
        slips::maybe(field, 22, dice);
    }
    if dice.percent(15) {
        said.postal_code = slips::wrong_digit(&said.postal_code, dice);
    }
    if dice.percent(10) {
        said.own.birth_date = slips::wrong_digit(&said.own.birth_date, dice);
    }
    if dice.percent(8) {
        said.own.person_number = slips::wrong_digit(&said.own.person_number, dice);
    }
    let mut forgotten = |field: &mut String, chance| {
        if dice.percent(chance) {
            field.clear();
        }
    };
    forgotten(&mut said.given_name, 3);
    forgotten(&mut said.street, 6);
    forgotten(&mut said.city, 4);
    forgotten(&mut said.postal_code, 4);
    forgotten(&mut said.own.birth_date, 6);
    forgotten(&mut said.own.person_number, 8);
    said
}

/// Members of a society, of whom nothing is written but the name and the day of birth.
pub(crate) fn members(seed: u64) -> Vec<Labelled> {
    let mut dice = Dice::new(seed);
    let mut all = Vec::new();
    for who in 0..2_500 {
        let own = Own { birth_date: born(&mut dice), ..Own::default() };
        let one =
            Claim { given_name: any_given_name(&mut dice), family_name: family(&mut dice), own, ..Claim::default() };
        all.push(Labelled { who, claim: one.clone() });
        if dice.percent(20) {
            let mut said = one;
            match dice.below(4) {
                0 => said.own.birth_date = slips::wrong_digit(&said.own.birth_date, &mut dice),
                1 => said.given_name = slips::slip(&said.given_name, &mut dice),
                2 => said.family_name = slips::slip(&said.family_name, &mut dice),
                _ => std::mem::swap(&mut said.given_name, &mut said.family_name),
            }
            all.push(Labelled { who, claim: said });
        }
    }
    dice.shuffle(&mut all);
    all
}
