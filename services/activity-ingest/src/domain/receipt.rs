//! Where a receipt may go: a stranger names the subject, and we publish to it with our own rights.

/// Bytes of a subject.
const MAX_SUBJECT: usize = 255;

/// Whether it is one plain subject outside of what is ours (`leadflow.`) and the server's (`$JS.`, `$SYS.`, `$KV.`, …).
pub(crate) fn may_go_to(subject: &str) -> bool {
    let is_plain = |token: &str| {
        !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'*' && byte != b'>')
    };
    subject.len() <= MAX_SUBJECT
        && !subject.starts_with('$')
        && subject.split('.').next() != Some("leadflow")
        && subject.split('.').all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_goes_to_an_inbox_or_a_plain_subject() {
        for subject in ["_INBOX.xUq7.1", "receipts", "mailing.receipts.v1", "leadflow-mailing.receipts"] {
            assert!(may_go_to(subject), "{subject}");
        }
    }

    #[test]
    fn a_receipt_goes_neither_to_many_nor_to_us_nor_to_the_server() {
        let long = "x".repeat(MAX_SUBJECT + 1);
        let refused = [
            "",
            ".",
            "a..b",
            "a.",
            "a.*",
            "a.>",
            ">",
            "a*b",
            "leadflow",
            "leadflow.lead.v1.sales_ready",
            "$JS.API.STREAM.DELETE.LEADFLOW_LEAD",
            "$SYS.REQ.SERVER.PING",
            "$KV.a.b",
            "a b",
            "a\r\nPUB b 0\r\n",
            "a\tb",
            "ä",
            &long,
        ];
        for subject in refused {
            assert!(!may_go_to(subject), "{subject:?}");
        }
    }
}
