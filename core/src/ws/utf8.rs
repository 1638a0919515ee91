//! UTF-8 of text that arrives in parts: a bad byte is found as soon as it is there, not at the message's end.

use super::Failure;

/// Checks `data` from `valid` on, the end of what is known to be whole characters, and returns its new place.
/// A character cut short by the end of `data` is no error yet.
pub fn advance(data: &[u8], valid: usize) -> Result<usize, Failure> {
    match simdutf8::compat::from_utf8(data.get(valid..).unwrap_or_default()) {
        Ok(_) => Ok(data.len()),
        Err(error) if error.error_len().is_none() => Ok(valid + error.valid_up_to()),
        Err(_) => Err(Failure::TEXT),
    }
}

/// Checks a whole text.
pub fn whole(data: &[u8]) -> Result<&str, Failure> {
    simdutf8::basic::from_utf8(data).map_err(|_| Failure::TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fails_at_the_first_byte_that_cannot_go_on() {
        // Autobahn 6.4: U+110000 is impossible from its second byte on, and a surrogate too.
        assert_eq!(advance(b"\xf4", 0), Ok(0));
        assert_eq!(advance(b"\xf4\x90", 0), Err(Failure::TEXT));
        assert_eq!(advance(b"\xed\xa0", 0), Err(Failure::TEXT));
        assert_eq!(advance(b"\xf5", 0), Err(Failure::TEXT));
        assert_eq!(advance("κόσμε".as_bytes(), 0), Ok(10));
    }

    proptest! {
        #[test]
        fn parts_agree_with_the_whole(data in prop::collection::vec(prop_oneof![any::<u8>(), 0xc0..=0xf4u8, 0x80..=0xbfu8], 0..12), cut in 0..12usize) {
            let cut = cut.min(data.len());
            let parts = advance(&data[..cut], 0).and_then(|valid| advance(&data, valid)).map(|valid| valid == data.len());
            prop_assert_eq!(parts == Ok(true), std::str::from_utf8(&data).is_ok());
        }

        #[test]
        fn any_text_passes_in_two_parts(text in ".{0,40}", cut in 0..160usize) {
            let cut = cut.min(text.len());
            let valid = advance(&text.as_bytes()[..cut], 0).unwrap();
            prop_assert_eq!(advance(text.as_bytes(), valid), Ok(text.len()));
        }
    }
}
