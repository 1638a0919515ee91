//! Masking (RFC 6455 section 5.3): XOR with a repeated four-byte key; doing it twice gives the input back.

/// XORs `data` with `key`, whose first byte belongs to `data`'s first.
pub fn unmask(data: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    // Eight bytes a step: the compiler makes this loop vector code.
    let (words, rest) = data.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip([a, b, c, d, a, b, c]) {
        *byte ^= key;
    }
}

/// The key for what follows the first `done` bytes of a payload.
pub fn rotated(mut key: [u8; 4], done: usize) -> [u8; 4] {
    key.rotate_left(done % 4);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn example_of_the_rfc() {
        // RFC 6455 section 5.7: a masked "Hello".
        let mut data = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        unmask(&mut data, [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(&data, b"Hello");
    }

    proptest! {
        #[test]
        fn equals_the_definition_in_any_two_parts(data in prop::collection::vec(any::<u8>(), 0..200), key: [u8; 4], cut in 0..200usize) {
            let expected: Vec<u8> = data.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]).collect();
            let cut = cut.min(data.len());
            let mut masked = data.clone();
            unmask(&mut masked[..cut], key);
            unmask(&mut masked[cut..], rotated(key, cut));
            prop_assert_eq!(&masked, &expected);
            unmask(&mut masked, key);
            prop_assert_eq!(masked, data);
        }
    }
}
