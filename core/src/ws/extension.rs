//! Sec-WebSocket-Extensions: the negotiation of permessage-deflate (RFC 6455 section 9.1, RFC 7692 section 7.1).

use crate::http::Refusal;

const MALFORMED: Refusal = Refusal { status: 400, reason: "malformed Sec-WebSocket-Extensions" };

/// permessage-deflate as accepted. Neither side keeps a context between messages, on the server's word, which RFC 7692 sections
/// 7.1.1.1 and 7.1.1.2 allow unasked: a connection then holds no zlib state, where a compressor alone would be 265 KiB. A JSON
/// message of 1 KiB becomes 40 % of its size instead of 26 %, one of 64 KiB 26 % either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deflate {
    /// Base-2 logarithm of the largest window that the client can inflate, 8 to 15, when it says one: then the answer must too.
    pub server_bits: Option<u8>,
}

impl Deflate {
    /// The value of the answer's Sec-WebSocket-Extensions field.
    pub fn answer(self) -> &'static str {
        macro_rules! answer {
            ($($bits:literal)*) => {
                match self.server_bits {
                    $(Some($bits) => concat!(
                        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=",
                        $bits
                    ),)*
                    _ => "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                }
            };
        }
        answer!(8 9 10 11 12 13 14 15)
    }
}

/// Takes the first offer that can be met from the field's values, in order; `None` when there is none.
pub fn negotiate<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Option<Deflate>, Refusal> {
    let mut taken = None;
    for value in values {
        let mut rest = value.trim_ascii();
        while !rest.is_empty() {
            // Empty elements of a list are allowed (RFC 9110 section 5.6.1.2).
            if let Some(after) = rest.strip_prefix(b",") {
                rest = after.trim_ascii_start();
                continue;
            }
            let offer = offer(&mut rest)?;
            taken = taken.or(offer);
            if !rest.is_empty() && !rest.starts_with(b",") {
                return Err(MALFORMED);
            }
        }
    }
    Ok(taken)
}

/// Reads one extension with its parameters from the start of `rest`: what we accept of it, if anything.
fn offer(rest: &mut &[u8]) -> Result<Option<Deflate>, Refusal> {
    let known = token(rest)?.eq_ignore_ascii_case(b"permessage-deflate");
    let mut fits = known;
    let mut seen = [false; 4];
    let mut server_bits = None;
    while let Some(after) = rest.strip_prefix(b";") {
        *rest = after.trim_ascii_start();
        let name = token(rest)?;
        let value = value(rest)?;
        let bits = || window_bits(value?);
        // RFC 7692 section 7.1: an unknown, repeated or invalid parameter declines the offer.
        let (which, valid) = match name {
            b"server_no_context_takeover" => (0, value.is_none()),
            b"client_no_context_takeover" => (1, value.is_none()),
            b"client_max_window_bits" => (2, value.is_none() || bits().is_some()),
            b"server_max_window_bits" => {
                server_bits = bits();
                (3, server_bits.is_some())
            }
            _ => {
                fits = false;
                continue;
            }
        };
        let again = seen.get_mut(which).is_none_or(|seen| std::mem::replace(seen, true));
        fits &= valid && !again;
    }
    Ok(fits.then_some(Deflate { server_bits }))
}

/// A window's size: 8 to 15, in decimal without a leading zero.
fn window_bits(value: &[u8]) -> Option<u8> {
    match value {
        [digit @ b'8'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

fn token<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Refusal> {
    let end = rest.iter().position(|&byte| !is_token(byte)).unwrap_or(rest.len());
    if end == 0 {
        return Err(MALFORMED);
    }
    let (token, after) = rest.split_at(end);
    *rest = after.trim_ascii_start();
    Ok(token)
}

/// A parameter's value, if it has one: a token, or the same within quotes (RFC 6455 section 9.1).
fn value<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Refusal> {
    let Some(after) = rest.strip_prefix(b"=") else { return Ok(None) };
    *rest = after.trim_ascii_start();
    let Some(quoted) = rest.strip_prefix(b"\"") else { return token(rest).map(Some) };
    *rest = quoted;
    let value = token(rest)?;
    *rest = rest.strip_prefix(b"\"").ok_or(MALFORMED)?.trim_ascii_start();
    Ok(Some(value))
}

/// A character of a token (RFC 9110 section 5.6.2).
pub fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The window asked for, 0 for none; `None` when no offer was taken.
    fn bits(value: &str) -> Option<u8> {
        negotiate([value.as_bytes()].into_iter()).unwrap().map(|deflate| deflate.server_bits.unwrap_or(0))
    }

    #[test]
    fn takes_the_first_offer_it_can_meet() {
        assert_eq!(bits("permessage-deflate"), Some(0));
        assert_eq!(bits("permessage-deflate; client_max_window_bits"), Some(0));
        assert_eq!(bits("permessage-deflate;client_max_window_bits=10 ; server_no_context_takeover"), Some(0));
        assert_eq!(bits("permessage-deflate; server_max_window_bits=\"9\""), Some(9));
        assert_eq!(bits("Permessage-Deflate; server_max_window_bits = 8"), Some(8));
        assert_eq!(
            bits("x-webkit-deflate-frame, foo; a=\"b\", , permessage-deflate; server_max_window_bits=12"),
            Some(12)
        );
        assert_eq!(
            bits("permessage-deflate; mystery, permessage-deflate; server_max_window_bits=10, permessage-deflate"),
            Some(10)
        );
        let lines = [b"foo".as_slice(), b"permessage-deflate"];
        assert_eq!(negotiate(lines.into_iter()).unwrap(), Some(Deflate { server_bits: None }));
    }

    #[test]
    fn declines_offers_with_bad_parameters() {
        for offer in [
            "",
            "permessage-bzip2",
            "permessage-deflate; mystery",
            "permessage-deflate; mystery=1",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=09",
            "permessage-deflate; client_max_window_bits=99",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        ] {
            assert_eq!(bits(offer), None, "{offer}");
        }
    }

    #[test]
    fn refuses_what_is_no_list_of_extensions() {
        for value in
            ["permessage-deflate;", ";", "a b", "a; b=", "a; b=\"c", "a; b=\"\"", "a; b=\"c d\"", "\x7f", "a; =b"]
        {
            assert_eq!(
                negotiate([value.as_bytes()].into_iter()).map_err(|refusal| refusal.status).err(),
                Some(400),
                "{value}"
            );
        }
    }

    #[test]
    fn answers_what_was_asked() {
        assert!(Deflate { server_bits: None }.answer().ends_with("client_no_context_takeover"));
        for server_bits in 8..=15 {
            let answer = Deflate { server_bits: Some(server_bits) }.answer();
            assert!(answer.ends_with(&format!("server_max_window_bits={server_bits}")));
            assert_eq!(bits(answer), Some(server_bits));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end(value in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = negotiate([value.as_slice()].into_iter());
        }
    }
}
