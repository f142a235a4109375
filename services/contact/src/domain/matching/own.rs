//! What is one person's own: the day of birth, and the number by which a register knows them.

use super::line::{Agreement, Line};

/// What is nobody else's, or hardly anybody's. Only a file that is matched says it: the contract has no field for it,
/// and contact keeps none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// The day of birth: year, month and day in this order or reversed, as written.
    pub birth_date: String,
    /// The number of an insurance, a patient, a member, as written.
    pub person_number: String,
}

/// The shortest number in which a slip is told from another number.
const SLIPS_FROM: usize = 6;

impl Own {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes what is not known yet from the other. Returns whether there was something.
    pub fn fill(&mut self, other: &Self) -> bool {
        let mut filled = false;
        for (known, said) in
            [(&mut self.birth_date, &other.birth_date), (&mut self.person_number, &other.person_number)]
        {
            if known.is_empty() && !said.trim().is_empty() {
                said.trim().clone_into(known);
                filled = true;
            }
        }
        filled
    }

    /// The day as eight digits, the year first; empty where it is none.
    pub(super) fn day(&self) -> String {
        read_day(&self.birth_date).unwrap_or_default()
    }

    /// The number without signs.
    pub(super) fn number(&self) -> String {
        self.person_number.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    }
}

/// A day with a slip in it is one, too: the thirteenth month is compared, and not refused.
fn read_day(text: &str) -> Option<String> {
    let groups: Vec<&str> =
        text.split(|letter: char| !letter.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    let written = |year: &str, month: &str, day: &str| Some(format!("{year:0>4}{month:0>2}{day:0>2}"));
    match groups[..] {
        [all] if all.len() == 8 => {
            let (year_first, year_last) = ((&all[..4], &all[4..6], &all[6..]), (&all[4..], &all[2..4], &all[..2]));
            let (year, month, day) = if is_day(year_last) && !is_day(year_first) { year_last } else { year_first };
            written(year, month, day)
        }
        [year, month, day] if year.len() == 4 && month.len() <= 2 && day.len() <= 2 => written(year, month, day),
        [day, month, year] if year.len() == 4 && month.len() <= 2 && day.len() <= 2 => {
            // With the month first where nothing else is possible.
            let american = month.parse::<u8>().is_ok_and(|month| month > 12);
            if american { written(year, day, month) } else { written(year, month, day) }
        }
        _ => None,
    }
}

fn is_day((year, month, day): (&str, &str, &str)) -> bool {
    let within =
        |text: &str, low: u16, high: u16| text.parse::<u16>().is_ok_and(|number| (low..=high).contains(&number));
    within(year, 1500, 2200) && within(month, 1, 12) && within(day, 1, 31)
}

/// The lines of what two have of their own, each in its form for comparison and as written.
pub(super) fn compare(days: (&str, &str), numbers: (&str, &str), left: &Own, right: &Own) -> Vec<Line> {
    let born = compare_days(days.0, days.1);
    let number = compare_numbers(numbers.0, numbers.1);
    let born = born.map(|agrees| Line::new("birth_date", agrees, &left.birth_date, &right.birth_date));
    let number = number.map(|agrees| Line::new("person_number", agrees, &left.person_number, &right.person_number));
    born.into_iter().chain(number).collect()
}

/// One in some ten thousand is born on the same day; one in a thousand on one that looks like a slip of it.
fn compare_days(one: &str, other: &str) -> Option<(Agreement, f64)> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let parts = |day: &str| [day[..4].to_owned(), day[4..6].to_owned(), day[6..].to_owned()];
    let (left, right) = (parts(one), parts(other));
    let swapped = left[0] == right[0] && left[1] == right[2] && left[2] == right[1];
    let shared = left.iter().zip(&right).filter(|(left, right)| left == right).count();
    let slips = strsim::osa_distance(one, other);
    Some(match slips {
        0 => (Agreement::Same, 13.0),
        _ if slips == 1 || swapped => (Agreement::Near, 7.0),
        _ if shared == 2 => (Agreement::Part, 4.0),
        2 => (Agreement::Far, 1.0),
        _ => (Agreement::Different, -4.0),
    })
}

fn compare_numbers(one: &str, other: &str) -> Option<(Agreement, f64)> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let (left, right) = (one.chars().count(), other.chars().count());
    let long = left.min(right) >= SLIPS_FROM && left.abs_diff(right) <= 1;
    Some(match strsim::osa_distance(one, other) {
        0 => (Agreement::Same, 18.0),
        1 if long && left == right => (Agreement::Near, 12.0),
        1 | 2 if long => (Agreement::Far, 6.0),
        _ => (Agreement::Different, -3.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> String {
        Own { birth_date: text.into(), ..Own::default() }.day()
    }

    #[test]
    fn a_day_is_read_in_the_usual_orders() {
        for text in ["19701231", "1970-12-31", "31.12.1970", "31/12/1970", "12/31/1970", "31121970", "1970 12 31"] {
            assert_eq!(day(text), "19701231", "{text}");
        }
        assert_eq!(day("1949 7 2"), "19490702");
        assert_eq!(day("19162429"), "19162429", "a slip in the month");
        for text in ["", "31.12.70", "1970", "unknown"] {
            assert_eq!(day(text), "", "{text}");
        }
    }

    #[test]
    fn a_slip_in_a_day_or_a_number_is_near_and_another_one_speaks_against() {
        for (one, other, expected) in [
            ("19701231", "19701231", Agreement::Same),
            ("19701231", "19071231", Agreement::Near),
            ("19700512", "19701205", Agreement::Near),
            ("19700512", "19701812", Agreement::Part),
            ("19700512", "19831106", Agreement::Different),
        ] {
            assert_eq!(compare_days(one, other).unwrap().0, expected, "{one} {other}");
        }
        for (one, other, expected) in [
            ("6988048", "6988048", Agreement::Same),
            ("6988048", "6988084", Agreement::Near),
            ("6988048", "698048", Agreement::Far),
            ("6988048", "7364009", Agreement::Different),
            ("123", "124", Agreement::Different),
        ] {
            assert_eq!(compare_numbers(one, other).unwrap().0, expected, "{one} {other}");
        }
    }
}
