//! Character classes of RFC 9110 section 5.6 and RFC 3986, one table look-up a byte.

const TOKEN: u8 = 1;
const REG_NAME: u8 = 2;
const TARGET: u8 = 4;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let character = byte as u8;
        let alphanumeric = character.is_ascii_alphanumeric();
        if alphanumeric || among(character, b"!#$%&'*+-.^_`|~") {
            table[byte] |= TOKEN;
        }
        // unreserved and sub-delims; "%" is looked at by the caller
        if alphanumeric || among(character, b"-._~!$&'()*+,;=") {
            table[byte] |= REG_NAME;
        }
        if character.is_ascii_graphic() && character != b'#' {
            table[byte] |= TARGET;
        }
        byte += 1;
    }
    table
}

const fn among(character: u8, set: &[u8]) -> bool {
    let mut index = 0;
    while index < set.len() {
        if set[index] == character {
            return true;
        }
        index += 1;
    }
    false
}

/// `tchar` of <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2>
#[inline]
pub fn is_token(byte: u8) -> bool {
    CLASSES[byte as usize] & TOKEN != 0
}

/// A byte of `reg-name`, without `pct-encoded`: <https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2>
#[inline]
pub fn is_reg_name(byte: u8) -> bool {
    CLASSES[byte as usize] & REG_NAME != 0
}

/// A byte that is taken in a request target: printable ASCII but "#".
#[inline]
pub fn is_target(byte: u8) -> bool {
    CLASSES[byte as usize] & TARGET != 0
}

/// `field-vchar`, SP and HTAB: <https://www.rfc-editor.org/rfc/rfc9110#section-5.5>
#[inline]
pub fn is_field_text(byte: u8) -> bool {
    (byte >= 0x20 && byte != 0x7f) || byte == b'\t'
}

/// The value of a hexadecimal digit.
#[inline]
pub fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[inline]
pub fn token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_token(byte))
}

/// No early exit: the compiler makes vector code of it.
#[inline]
pub fn field_text(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |good, &byte| good & is_field_text(byte))
}

pub fn trim(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let start = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    bytes.get(start..end).unwrap_or_default()
}

/// The elements of a comma-separated list, empty ones left out (RFC 9110 section 5.6.1.2).
pub fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim).filter(|element| !element.is_empty())
}
