//! Countries as people write them.

use std::str::FromStr as _;

use celes::Country;

/// The two letters of a country (ISO 3166-1) by its English name, two or three letters; none when it is not known.
pub(crate) fn code(text: &str) -> Option<&'static str> {
    let letters: String = text.chars().filter(|letter| letter.is_alphabetic()).collect::<String>().to_lowercase();
    if letters == "uk" {
        return Some("GB");
    }
    // The library also takes numbers, which no list of visitors means as a country.
    Country::from_str(&letters).ok().map(|country| country.alpha2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_known_by_name_and_code() {
        for (text, expected) in [
            ("DE", "DE"),
            ("de", "DE"),
            ("DEU", "DE"),
            ("Germany", "DE"),
            ("United Kingdom", "GB"),
            ("U.K.", "GB"),
            ("USA", "US"),
            ("U.S.A.", "US"),
            ("United States of America", "US"),
            ("The Netherlands", "NL"),
            ("South Korea", "KR"),
            ("Czechia", "CZ"),
            ("Türkiye", "TR"),
        ] {
            assert_eq!(code(text), Some(expected), "{text}");
        }
        for text in ["", "Elbonia", "49", "276"] {
            assert_eq!(code(text), None, "{text}");
        }
    }
}
