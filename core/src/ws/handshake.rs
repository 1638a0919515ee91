//! The opening handshake (RFC 6455 section 4.2), read from a request's head.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::Settings;
use super::extension::{Deflate, is_token, negotiate};
use crate::http::head::{Framing, Head, Method};
use crate::http::{Refusal, Span};

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
// Clients with home-made keys leave stray bits in the last character; only the length matters (RFC 6455 section 4.2.1).
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// A handshake that may be accepted.
#[derive(Debug)]
pub struct Handshake {
    /// The value of the answer's Sec-WebSocket-Accept.
    pub accept: [u8; 28],
    /// The subprotocols offered, in order of preference: places in the head's bytes.
    pub protocols: Vec<Span>,
    pub deflate: Option<Deflate>,
}

/// The answer to a client's key: base64 of its SHA-1 together with the protocol's GUID.
pub fn accept_key(key: &[u8]) -> [u8; 28] {
    let mut hash = sha1_smol::Sha1::new();
    hash.update(key);
    hash.update(GUID);
    let mut accept = [0; 28];
    // 20 bytes are always 28 characters.
    let _ = BASE64.encode_slice(hash.digest().bytes(), &mut accept);
    accept
}

/// Checks a request that asks for a WebSocket (`head.websocket`); `buf` holds the head's bytes. The refusal is 426 for another
/// version than 13: its answer needs `Sec-WebSocket-Version: 13` (RFC 6455 section 4.4). Else it is 400.
pub fn check_handshake(head: &Head, buf: &[u8], settings: &Settings) -> Result<Handshake, Refusal> {
    if head.method != Method::Get || head.minor < 1 || !head.websocket {
        return Err(bad("not a WebSocket handshake"));
    }
    if !matches!(head.framing, Framing::None | Framing::Length(0)) {
        return Err(bad("WebSocket handshake with a body"));
    }
    match only(head, buf, b"sec-websocket-version")? {
        Some(b"13") => {}
        _ => return Err(Refusal { status: 426, reason: "only WebSocket version 13 is spoken here" }),
    }
    let key = only(head, buf, b"sec-websocket-key")?.ok_or(bad("no Sec-WebSocket-Key"))?;
    let mut nonce = [0; 18];
    if key.len() != 24 || BASE64.decode_slice(key, &mut nonce) != Ok(16) {
        return Err(bad("Sec-WebSocket-Key is not 16 bytes in base64"));
    }
    let deflate = negotiate(head.values(buf, b"sec-websocket-extensions"))?;
    Ok(Handshake {
        accept: accept_key(key),
        protocols: protocols(head, buf)?,
        deflate: deflate.filter(|_| settings.deflate),
    })
}

fn bad(reason: &'static str) -> Refusal {
    Refusal { status: 400, reason }
}

fn fields<'a>(head: &'a Head, buf: &'a [u8], name: &'static [u8]) -> impl Iterator<Item = Span> + 'a {
    let named = move |field: &&(Span, Span)| field.0.of(buf).eq_ignore_ascii_case(name);
    head.fields.iter().filter(named).map(|field| field.1)
}

/// The value of a field that may occur once at most.
fn only<'a>(head: &'a Head, buf: &'a [u8], name: &'static [u8]) -> Result<Option<&'a [u8]>, Refusal> {
    let mut values = head.values(buf, name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(<[u8]>::trim_ascii)),
        _ => Err(bad("a WebSocket field is repeated")),
    }
}

/// The names in Sec-WebSocket-Protocol, one field or several (RFC 6455 section 11.3.4).
fn protocols(head: &Head, buf: &[u8]) -> Result<Vec<Span>, Refusal> {
    let mut found = Vec::new();
    for field in fields(head, buf, b"sec-websocket-protocol") {
        let mut start = field.start;
        for part in field.of(buf).split(|&byte| byte == b',') {
            let name = part.trim_ascii();
            if !name.iter().all(|&byte| is_token(byte)) {
                return Err(bad("malformed Sec-WebSocket-Protocol"));
            }
            if !name.is_empty() {
                let lead = part.len() - part.trim_ascii_start().len();
                let at = start + lead as u32;
                found.push(Span { start: at, end: at + name.len() as u32 });
            }
            start += part.len() as u32 + 1;
        }
    }
    Ok(found)
}
