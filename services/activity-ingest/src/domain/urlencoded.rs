//! The body of a plain web form, `application/x-www-form-urlencoded`. Read strictly: the usual decoders put
//! replacement characters where the bytes are no UTF-8, and a name that is broken in silence is never found again.

use leadflow_platform::Result;

use crate::error;

/// The names and values of a body, in their order.
///
/// # Errors
/// `MALFORMED_BODY` for a broken escape, and for bytes that are no UTF-8.
pub(crate) fn parse(body: &[u8]) -> Result<Vec<(String, String)>> {
    body.split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut parts = pair.splitn(2, |&byte| byte == b'=');
            let mut next = || decode(parts.next().unwrap_or_default());
            Ok((next()?, next()?))
        })
        .collect()
}

fn decode(escaped: &[u8]) -> Result<String> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.iter();
    while let Some(&byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = (rest.next().and_then(hex), rest.next().and_then(hex));
                let (Some(high), Some(low)) = digits else {
                    return Err(error::malformed_body("has a `%` without two hexadecimal digits after it"));
                };
                high << 4 | low
            }
            other => other,
        });
    }
    utf8(bytes)
}

/// The bytes as text.
///
/// # Errors
/// `MALFORMED_BODY` when they are no UTF-8.
pub(crate) fn utf8(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| error::malformed_body("is not encoded in UTF-8"))
}

fn hex(digit: &u8) -> Option<u8> {
    char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(body: &str) -> Vec<(String, String)> {
        parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn names_and_values_are_decoded() {
        let expected = [("name", "Jürgen & Söhne"), ("a b", "1=2"), ("empty", ""), ("bare", "")];
        let read = pairs("name=J%C3%BCrgen+%26+S%c3%b6hne&a+b=1=2&&empty=&bare");
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn what_is_broken_is_refused_and_not_repaired() {
        for body in ["a=%", "a=%4", "a=%zz", "a=%FF", "%C3=1"] {
            assert_eq!(parse(body.as_bytes()).unwrap_err().reason(), "MALFORMED_BODY", "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&body);
        }

        #[test]
        fn what_was_encoded_is_read_back(pairs in proptest::collection::vec((".{1,10}", ".{0,20}"), 0..8)) {
            let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            let body: Vec<_> = pairs.iter().map(|(n, v)| format!("{}={}", escape(n), escape(v))).collect();
            prop_assert_eq!(parse(body.join("&").as_bytes()).unwrap(), pairs);
        }
    }
}
