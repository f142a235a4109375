//! What two spellings have in common.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// How like two words are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likeness {
    Different,
    /// As like as a word may be after several slips; by chance, too.
    Far,
    /// As like as a word is after one slip of the hand or of the ear.
    Near,
    Same,
}

/// The words of a text in lower case, without accents; the two ways to write an umlaut are one.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut plain = String::with_capacity(text.len());
    for letter in text.nfkd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_lowercase) {
        match letter {
            'ß' => plain.push_str("ss"),
            'æ' => plain.push('a'),
            'œ' | 'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            'đ' | 'ð' => plain.push('d'),
            'ı' => plain.push('i'),
            '\'' | '’' | '`' => {}
            letter if letter.is_alphanumeric() => plain.push(letter),
            _ => plain.push(' '),
        }
    }
    plain.split_whitespace().map(without_umlauts).collect()
}

/// `mueller` and `müller` are `muller`.
fn without_umlauts(word: &str) -> String {
    let mut written = String::with_capacity(word.len());
    for letter in word.chars() {
        let after_vowel = matches!(written.chars().last(), Some('a' | 'o' | 'u'));
        if !(letter == 'e' && after_vowel) {
            written.push(letter);
        }
    }
    written
}

/// How like two words are, by the slips that lead from one to the other.
pub(super) fn likeness(one: &str, other: &str) -> Likeness {
    if one == other {
        return Likeness::Same;
    }
    let length = one.chars().count().max(other.chars().count());
    let slips = strsim::osa_distance(one, other);
    let common = strsim::jaro_winkler(one, other);
    if (length >= 4 && slips <= 1) || (length >= 7 && slips <= 2 && common >= 0.9) || (length >= 6 && common >= 0.94) {
        Likeness::Near
    } else if (length == 3 && slips <= 1 && start(one, 1) == start(other, 1))
        || (length >= 5 && slips <= 2)
        || (length >= 8 && slips <= 3)
        || (length >= 4 && common >= 0.87)
    {
        Likeness::Far
    } else {
        Likeness::Different
    }
}

/// What is left of a word when it is only heard: consonants that sound alike are one, vowels none but the first.
pub(super) fn sound(word: &str) -> String {
    let spoken = word.replace("sch", "s").replace("ph", "f").replace("ck", "k").replace("th", "t").replace("sh", "s");
    let mut heard = String::new();
    for (at, letter) in spoken.chars().enumerate() {
        let sound = match letter {
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'j' | 'h' if at == 0 => 'a',
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'j' | 'h' => continue,
            'b' | 'p' => 'p',
            'd' | 't' => 't',
            'f' | 'v' | 'w' => 'f',
            'c' | 'g' | 'k' | 'q' => 'k',
            's' | 'x' | 'z' => 's',
            'm' | 'n' => 'n',
            other => other,
        };
        if !heard.ends_with(sound) {
            heard.push(sound);
        }
    }
    heard
}

/// The first letters of a word.
pub(super) fn start(word: &str, letters: usize) -> &str {
    word.char_indices().nth(letters).map_or(word, |(end, _)| &word[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_accents_signs_and_ways_to_write_an_umlaut() {
        for same in ["Müller-Weiß", "MUELLER WEISS", "Mu\u{308}ller, Weiss"] {
            assert_eq!(words(same), ["muller", "weiss"], "{same}");
        }
        assert_eq!(words("O'Brien"), ["obrien"]);
        assert_eq!(words("Øystein Łukasz"), ["oystein", "lukasz"]);
        assert!(words(" - ").is_empty());
    }

    #[test]
    fn one_slip_is_near_several_are_far_and_another_word_is_different() {
        for (one, other, expected) in [
            ("lovelace", "lovelace", Likeness::Same),
            ("lovelace", "lovlace", Likeness::Near),
            ("lovelace", "loevlace", Likeness::Near),
            ("haslbeck", "hasslbek", Likeness::Near),
            ("jan", "jon", Likeness::Far),
            ("tim", "jim", Likeness::Different),
            ("fjellanger", "fjlangr", Likeness::Far),
            ("lovelace", "babbage", Likeness::Different),
            ("anna", "berta", Likeness::Different),
        ] {
            assert_eq!(likeness(one, other), expected, "{one} {other}");
            assert_eq!(likeness(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn what_sounds_alike_is_alike() {
        for (one, other) in [("meyer", "maier"), ("schmidt", "schmitt"), ("philip", "filip"), ("fischer", "visher")] {
            assert_eq!(sound(one), sound(other), "{one} {other}");
        }
        assert_ne!(sound("lovelace"), sound("babbage"));
    }
}
