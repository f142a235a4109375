//! Names of people: typing errors, nicknames, initials, and how much a name says by its rarity.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use super::{
    line::{Agreement, Line},
    text::{Likeness, likeness, sound, words},
};

/// Given names, each line the forms of one. A name that is here is a known one, and no slip of another.
static GIVEN_NAMES: LazyLock<HashMap<String, HashSet<usize>>> = LazyLock::new(|| {
    let mut groups: HashMap<String, HashSet<usize>> = HashMap::new();
    for (group, line) in include_str!("given_names.txt").lines().enumerate() {
        for form in line.split_whitespace() {
            groups.entry(words(form).concat()).or_default().insert(group);
        }
    }
    groups
});

/// The forms of each group of given names.
static FORMS: LazyLock<HashMap<usize, Vec<&'static str>>> = LazyLock::new(|| {
    let mut forms: HashMap<usize, Vec<&str>> = HashMap::new();
    for (name, groups) in GIVEN_NAMES.iter() {
        groups.iter().for_each(|group| forms.entry(*group).or_default().push(name));
    }
    forms
});

/// The most frequent family names, with what they say: the binary logarithm of how rare they are.
static FAMILY_NAMES: LazyLock<HashMap<String, f64>> = LazyLock::new(|| {
    let mut bits = HashMap::new();
    for line in include_str!("family_names.txt").lines() {
        let (rarity, names) = line.split_once(' ').unwrap_or_default();
        let rarity = rarity.parse().unwrap_or(RARE_FAMILY);
        bits.extend(names.split_whitespace().map(|name| (words(name).concat(), rarity)));
    }
    bits
});

/// One in seventy has a frequent given name, one in four hundred any other, one in two thousand a rare family name.
const FREQUENT_GIVEN: f64 = 6.0;
const RARE_GIVEN: f64 = 8.5;
const RARE_FAMILY: f64 = 11.0;

const GENERATIONS: [(&str, u8); 12] = [
    ("sr", 1),
    ("senior", 1),
    ("jr", 2),
    ("jun", 2),
    ("junior", 2),
    ("ii", 2),
    ("2nd", 2),
    ("iii", 3),
    ("3rd", 3),
    ("iv", 4),
    ("4th", 4),
    ("sen", 1),
];
const TITLES: [&str; 17] = [
    "mr",
    "mrs",
    "ms",
    "miss",
    "dr",
    "prof",
    "professor",
    "herr",
    "frau",
    "dipl",
    "ing",
    "phd",
    "md",
    "mba",
    "msc",
    "mme",
    "sir",
];
const PARTICLES: [&str; 18] = [
    "van", "von", "der", "den", "de", "del", "della", "di", "da", "du", "dos", "la", "le", "el", "al", "ter", "ten",
    "zu",
];

/// A person's name in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) given: Vec<String>,
    /// Without particles, where more is left.
    pub(super) family: Vec<String>,
    /// Father or son, where the name says it.
    pub(super) generation: Option<u8>,
}

impl Name {
    pub(super) fn read(given_name: &str, family_name: &str) -> Self {
        let mut generation = None;
        let mut plain = |text: &str, is_family: bool| {
            let mut all = words(text);
            all.retain(|word| !TITLES.contains(&word.as_str()));
            // "V" and "Jun" may be given names: a generation stands behind a name.
            while all.len() > 1 || (is_family && all.len() == 1 && !given_name.is_empty() && all[0] == "jr") {
                let last = all.last().and_then(|last| GENERATIONS.iter().find(|(word, _)| word == last));
                let Some((_, number)) = last else { break };
                generation = Some(*number);
                all.pop();
            }
            all
        };
        let (mut given, mut family) = (plain(given_name, false), plain(family_name, true));
        let is_particle = |word: &String| PARTICLES.contains(&word.as_str());
        if given.is_empty() && family.len() > 1 && !is_particle(&family[0]) {
            given.push(family.remove(0));
        }
        if family.iter().any(|word| !is_particle(word)) {
            family.retain(|word| !is_particle(word));
        }
        Self { given, family, generation }
    }
}

/// The lines of two names. The one on the left and the one on the right as written are `left` and `right`.
pub(super) fn compare(one: &Name, other: &Name, left: (&str, &str), right: (&str, &str)) -> Vec<Line> {
    let mut lines = Vec::with_capacity(2);
    if !one.given.is_empty() && !other.given.is_empty() {
        lines.push(Line::new("given_name", given(&one.given, &other.given), left.0, right.0));
    }
    if !one.family.is_empty() && !other.family.is_empty() {
        lines.push(Line::new("family_name", family(&one.family, &other.family), left.1, right.1));
    }
    let straight: f64 = lines.iter().map(|line| line.weight).sum();
    if lines.len() == 2 && straight < 0.0 && crossed(one, other) {
        let bits = |name: &Name| given_bits(&name.given) + family_bits(&name.family);
        // Frank Peter and Peter Frank may as well be two.
        let either_way = |name: &Name| is_known(&name.given[0]) && is_known(&name.family[0]);
        let doubt = if either_way(one) || either_way(other) { 6.0 } else { 4.0 };
        let bits = bits(one).min(bits(other)) - doubt;
        let full = |(given, family)| format!("{given} {family}");
        lines = vec![Line::new("name", (Agreement::Swapped, bits), &full(left), &full(right))];
    }
    lines
}

/// Whether given and family name changed places.
fn crossed(one: &Name, other: &Name) -> bool {
    let alike = |given: &[String], family: &[String]| {
        let close = likeness(&given.concat(), &family.concat()) >= Likeness::Near;
        close || given.first().zip(family.first()).is_some_and(|(given, family)| form_of(given, family))
    };
    alike(&one.given, &other.family) && alike(&other.given, &one.family)
}

/// How far given names agree. Of several, the first counts, and the others where they contradict.
fn given(one: &[String], other: &[String]) -> (Agreement, f64) {
    let bits = given_bits(one).min(given_bits(other));
    let (first, second) = (&one[0], &other[0]);
    let initials = |all: &[String]| all.get(1).and_then(|middle| middle.chars().next());
    if one.concat() == other.concat() {
        return (Agreement::Same, bits);
    }
    if first == second {
        let contradict = initials(one).zip(initials(other)).is_some_and(|(one, other)| one != other);
        return if contradict { (Agreement::Part, bits - 5.0) } else { (Agreement::Same, bits) };
    }
    let is_initial = |short: &String, long: &String| short.chars().count() == 1 && long.starts_with(short.as_str());
    if is_initial(first, second) || is_initial(second, first) {
        return (Agreement::Initial, 2.5);
    }
    if form_of(first, second) {
        return (Agreement::Nickname, bits - 1.5);
    }
    if one.iter().any(|word| word.chars().count() > 2 && other.contains(word)) {
        return (Agreement::Part, bits - 1.5);
    }
    let close = likeness(first, second).max(likeness(&one.concat(), &other.concat()));
    let slips = strsim::osa_distance(first, second);
    let slip = slips.min(strsim::osa_distance(&one.concat(), &other.concat())) <= 1;
    let (length, also) = (first.chars().count(), second.chars().count());
    let long = length.max(also) > 4;
    // One of them is no name that is known, and as long as the other, which is: it is that one with a slip. One letter
    // more or less makes another name of a short one: Jan, Jaan, Jana.
    let misspelt = length == also && is_known(first) != is_known(second);
    match close {
        _ if is_known(first) && is_known(second) => (Agreement::Different, -5.0),
        _ if slip && (long || misspelt) => (Agreement::Near, bits - 2.0),
        Likeness::Same | Likeness::Near if long => (Agreement::Near, bits - 4.0),
        _ if misspelt && length >= 6 && slips <= 2 => (Agreement::Near, bits - 4.0),
        Likeness::Same | Likeness::Near | Likeness::Far => (Agreement::Far, 2.0),
        Likeness::Different if is_slip_of_a_form(first, second) || is_slip_of_a_form(second, first) => {
            (Agreement::Far, 2.0)
        }
        Likeness::Different => (Agreement::Different, -4.0),
    }
}

/// Whether the one is no name that is known, and but for a slip a form of the other: Mkie, Michael.
fn is_slip_of_a_form(one: &str, other: &str) -> bool {
    let Some(groups) = GIVEN_NAMES.get(other).filter(|_| !is_known(one)) else { return false };
    let mut forms = groups.iter().filter_map(|group| FORMS.get(group)).flatten();
    forms.any(|form| form.chars().count() > 2 && strsim::osa_distance(one, form) <= 1)
}

fn is_known(given_name: &str) -> bool {
    GIVEN_NAMES.contains_key(given_name)
}

fn form_of(one: &str, other: &str) -> bool {
    let groups = |name| GIVEN_NAMES.get(name);
    groups(one).zip(groups(other)).is_some_and(|(one, other)| !one.is_disjoint(other))
}

fn given_bits(names: &[String]) -> f64 {
    if names.first().is_some_and(|name| is_known(name)) { FREQUENT_GIVEN } else { RARE_GIVEN }
}

/// How far family names agree. People marry, so another one speaks less against than another given name.
fn family(one: &[String], other: &[String]) -> (Agreement, f64) {
    let (written, also) = (one.concat(), other.concat());
    let bits = family_bits(one).min(family_bits(other));
    let sounds_alike = || written.len() >= 4 && sound(&written) == sound(&also) && written[..1] == also[..1];
    let both_frequent = is_frequent(&written) && is_frequent(&also);
    match likeness(&written, &also) {
        Likeness::Same => (Agreement::Same, bits),
        // Meyer and Meier are two names, and one person may be written in both ways.
        Likeness::Near if both_frequent => (Agreement::Near, 0.5),
        Likeness::Near if strsim::osa_distance(&written, &also) <= 1 => (Agreement::Near, bits - 2.0),
        // Of two slips, many a name becomes another.
        Likeness::Near => (Agreement::Near, bits - 5.0),
        _ if one.iter().any(|word| word.chars().count() > 2 && other.contains(word)) => (Agreement::Part, bits - 3.0),
        _ if !both_frequent && written.is_ascii() && also.is_ascii() && sounds_alike() => (Agreement::Near, bits - 3.5),
        Likeness::Far => (Agreement::Far, 0.0),
        Likeness::Different => (Agreement::Different, -4.0),
    }
}

fn is_frequent(name: &str) -> bool {
    FAMILY_NAMES.contains_key(name)
}

fn family_bits(names: &[String]) -> f64 {
    FAMILY_NAMES.get(&names.concat()).copied().unwrap_or(RARE_FAMILY)
}
