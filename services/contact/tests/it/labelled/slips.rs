//! What goes wrong when people write, type, dictate or scan.

use super::Dice;

const KEYS: [&str; 26] = [
    "qs", "vn", "xv", "sf", "wr", "dg", "fh", "gj", "uo", "hk", "jl", "k", "n", "bm", "ip", "o", "wa", "et", "ad",
    "ry", "yi", "cb", "qe", "zc", "tu", "x",
];
const HEARD: [(&str, &str); 16] = [
    ("ph", "f"),
    ("f", "ph"),
    ("ck", "k"),
    ("k", "c"),
    ("c", "k"),
    ("ie", "y"),
    ("y", "i"),
    ("ei", "ai"),
    ("ll", "l"),
    ("l", "ll"),
    ("tt", "t"),
    ("n", "nn"),
    ("s", "z"),
    ("th", "t"),
    ("ss", "s"),
    ("w", "v"),
];

/// One slip, of a kind that chance takes.
pub(crate) fn slip(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() < 3 {
        return text.to_owned();
    }
    let at = 1 + dice.below(letters.len() - 1);
    match dice.below(6) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at - 1]),
        2 => letters.swap(at, at - 1),
        3 | 4 => {
            let near = letters[at].to_ascii_lowercase();
            if near.is_ascii_lowercase() {
                let around: Vec<char> = KEYS[(near as u8 - b'a') as usize].chars().collect();
                letters[at] = *dice.one_of(&around);
            } else if near.is_ascii_digit() {
                letters[at] = char::from(b'0' + dice.below(10) as u8);
            }
        }
        _ => return mishear(text, dice),
    }
    letters.into_iter().collect()
}

fn mishear(text: &str, dice: &mut Dice) -> String {
    let fitting: Vec<_> = HEARD.iter().filter(|(written, _)| text.contains(written)).collect();
    if fitting.is_empty() {
        return text.to_owned();
    }
    let (written, heard) = dice.one_of(&fitting);
    text.replacen(written, heard, 1)
}

/// A digit that is wrong, or two that changed places.
pub(crate) fn wrong_digit(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let at = 1 + dice.below(letters.len() - 1);
    if dice.percent(50) {
        letters.swap(at, at - 1);
    } else {
        letters[at] = char::from(b'0' + dice.below(10) as u8);
    }
    letters.into_iter().collect()
}

/// With slips, so many times of a hundred; a second one now and then.
pub(crate) fn maybe(text: &mut String, chance: usize, dice: &mut Dice) {
    if dice.percent(chance) {
        *text = slip(text, dice);
        if dice.percent(15) {
            *text = slip(text, dice);
        }
    }
}
