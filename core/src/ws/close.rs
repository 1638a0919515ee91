//! Close codes and the payload of a close frame (RFC 6455 section 7.4, and IANA's registry of close codes).

use super::{Failure, utf8};

/// The code that stands for a close frame without one (RFC 6455 section 7.1.5).
pub const NONE: u16 = 1005;

/// Whether an endpoint may put `code` into a close frame: 1004 to 1006 and 1015 never go over the wire.
pub fn sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Reads the (unmasked) payload of a close frame: its code, 1005 for none, and the reason.
pub fn parse(payload: &[u8]) -> Result<(u16, &str), Failure> {
    match payload {
        [] => Ok((NONE, "")),
        [_] => Err(Failure::protocol("close frame with half a code")),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !sendable(code) {
                return Err(Failure::protocol("close code that must not be sent"));
            }
            Ok((code, utf8::whole(reason)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_reasons() {
        assert_eq!(parse(b""), Ok((1005, "")));
        assert_eq!(parse(b"\x03").map_err(|f| f.code), Err(1002));
        assert_eq!(parse(b"\x03\xe8bye"), Ok((1000, "bye")));
        assert_eq!(parse(b"\x03\xe8\xff").map_err(|f| f.code), Err(1007));
        for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
            assert_eq!(parse(&code.to_be_bytes()).map_err(|f| f.code), Err(1002), "{code}");
        }
        for code in [1000u16, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
        {
            assert_eq!(parse(&code.to_be_bytes()), Ok((code, "")));
        }
    }
}
