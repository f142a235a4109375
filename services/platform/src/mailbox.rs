//! What the name of a mailbox tells.

/// What stands before the `@` of an address that a role has, and not a person.
const ROLES: [&str; 50] = [
    "accounting",
    "accounts",
    "admin",
    "bestellung",
    "billing",
    "buchhaltung",
    "buero",
    "career",
    "careers",
    "contact",
    "einkauf",
    "empfang",
    "enquiries",
    "enquiry",
    "export",
    "hello",
    "help",
    "hr",
    "info",
    "information",
    "inquiries",
    "inquiry",
    "invoice",
    "invoices",
    "jobs",
    "karriere",
    "kontakt",
    "kundenservice",
    "mail",
    "mailbox",
    "marketing",
    "newsletter",
    "no-reply",
    "noreply",
    "office",
    "order",
    "orders",
    "personal",
    "post",
    "postmaster",
    "presse",
    "procurement",
    "purchasing",
    "reception",
    "sales",
    "sekretariat",
    "service",
    "support",
    "verkauf",
    "vertrieb",
];

/// Whether an address in lower case is named for a role and not for a person: `info@`, `purchasing@`, also `sales-de@`.
pub fn names_a_role(email: &str) -> bool {
    let Some((local, _)) = email.rsplit_once('@') else { return false };
    // A short end is a country, a language or a number.
    let plain =
        local.split_once(['-', '.', '_', '+']).filter(|(_, end)| end.len() <= 3).map_or(local, |(role, _)| role);
    let plain = plain.trim_end_matches(|letter: char| letter.is_ascii_digit());
    ROLES.contains(&plain) || ROLES.contains(&local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_of_roles_are_told_from_those_of_people() {
        for role in ["info@works.de", "sales-de@works.de", "purchasing2@works.de", "no-reply@gmail.com"] {
            assert!(names_a_role(role), "{role}");
        }
        for person in ["ada@works.de", "sales.lovelace@works.de", "info", ""] {
            assert!(!names_a_role(person), "{person}");
        }
    }
}
