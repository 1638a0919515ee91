//! Frames (RFC 6455 section 5): the header of one that came in, and whole frames going out.

use super::Failure;
use super::close::sendable;

/// Most bytes that a control frame carries (RFC 6455 section 5.5).
pub const MAX_CONTROL: usize = 125;
/// Most bytes of the header of an unmasked frame.
pub const MAX_HEADER: usize = 10;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV: u8 = 0x70;
const MASKED: u8 = 0x80;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// The header of a frame from a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub fin: bool,
    pub compressed: bool,
    pub opcode: Opcode,
    /// Bytes of payload.
    pub len: u64,
    pub mask: [u8; 4],
    /// Bytes of this header.
    pub size: usize,
}

impl Header {
    /// Reads the header at the start of `buf`; `None` when more bytes are needed. `deflate`: whether permessage-deflate was
    /// negotiated, which gives RSV1 its meaning.
    pub fn parse(buf: &[u8], deflate: bool) -> Result<Option<Self>, Failure> {
        let Some((&first, rest)) = buf.split_first() else { return Ok(None) };
        let opcode = match first & 0x0f {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return Err(Failure::protocol("reserved opcode")),
        };
        let (fin, compressed) = (first & FIN != 0, first & RSV1 != 0);
        // RSV1 marks a compressed message on its first frame only (RFC 7692 section 6.1).
        if first & RSV != 0 && !(deflate && first & RSV == RSV1 && matches!(opcode, Opcode::Text | Opcode::Binary)) {
            return Err(Failure::protocol("reserved bit set"));
        }
        let Some((&second, rest)) = rest.split_first() else { return Ok(None) };
        if second & MASKED == 0 {
            return Err(Failure::protocol("frame is not masked"));
        }
        let short = second & !MASKED;
        if opcode as u8 >= 8 && (!fin || usize::from(short) > MAX_CONTROL) {
            return Err(Failure::protocol("control frame is fragmented or too long"));
        }
        let (len, rest) = match short {
            126 => {
                let Some((bytes, rest)) = rest.split_first_chunk() else { return Ok(None) };
                (u64::from(u16::from_be_bytes(*bytes)), rest)
            }
            127 => {
                let Some((bytes, rest)) = rest.split_first_chunk() else { return Ok(None) };
                (u64::from_be_bytes(*bytes), rest)
            }
            _ => (u64::from(short), rest),
        };
        // RFC 6455 section 5.2: the minimal number of bytes must be used, and the highest bit must be 0.
        if (short == 126 && len < 126) || (short == 127 && len <= u64::from(u16::MAX)) || len >> 63 != 0 {
            return Err(Failure::protocol("length is not in its shortest form"));
        }
        let Some((&mask, rest)) = rest.split_first_chunk() else { return Ok(None) };
        Ok(Some(Self { fin, compressed, opcode, len, mask, size: buf.len() - rest.len() }))
    }
}

/// The header of an unmasked, final frame: its bytes and how many of them count.
pub fn header(opcode: Opcode, compressed: bool, len: usize) -> ([u8; MAX_HEADER], usize) {
    let mut bytes = [0; MAX_HEADER];
    let first = FIN | if compressed { RSV1 } else { 0 } | opcode as u8;
    let size = match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short), _) if short < 126 => {
            (bytes[0], bytes[1]) = (first, short);
            2
        }
        (_, Ok(medium)) => {
            let [high, low] = medium.to_be_bytes();
            (bytes[0], bytes[1], bytes[2], bytes[3]) = (first, 126, high, low);
            4
        }
        _ => {
            let [a, b, c, d, e, f, g, h] = (len as u64).to_be_bytes();
            bytes = [first, 127, a, b, c, d, e, f, g, h];
            10
        }
    };
    (bytes, size)
}

/// Appends one plain frame.
pub fn plain(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    let (header, size) = header(opcode, false, payload.len());
    out.reserve(size + payload.len());
    out.extend_from_slice(header.get(..size).unwrap_or_default());
    out.extend_from_slice(payload);
}

/// One uncompressed message as bytes that every connection can send: for a broadcast.
pub fn prepared(text: bool, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    plain(&mut out, if text { Opcode::Text } else { Opcode::Binary }, payload);
    out
}

/// Appends a ping; at most 125 bytes of `payload` are sent (RFC 6455 section 5.5).
pub fn ping(out: &mut Vec<u8>, payload: &[u8]) {
    plain(out, Opcode::Ping, payload.get(..MAX_CONTROL).unwrap_or(payload));
}

/// Appends the answer to a ping with `payload`.
pub fn pong(out: &mut Vec<u8>, payload: &[u8]) {
    plain(out, Opcode::Pong, payload.get(..MAX_CONTROL).unwrap_or(payload));
}

/// Appends a close frame. A code that must not be sent (1005 for "none") gives an empty one; `reason` is cut to the 123 bytes
/// that fit, at a character's end.
pub fn close(out: &mut Vec<u8>, code: u16, reason: &str) {
    if !sendable(code) {
        return plain(out, Opcode::Close, b"");
    }
    let reason = reason.get(..reason.floor_char_boundary(MAX_CONTROL - 2)).unwrap_or_default().as_bytes();
    let mut payload = [0; MAX_CONTROL];
    for (to, from) in payload.iter_mut().zip(code.to_be_bytes().iter().chain(reason)) {
        *to = *from;
    }
    plain(out, Opcode::Close, payload.get(..2 + reason.len()).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(bytes: &[u8]) {
        assert_eq!(Header::parse(bytes, false).map_err(|f| f.code), Err(1002), "{bytes:x?}");
    }

    #[test]
    fn reads_each_form_of_length() {
        let read = |bytes: &[u8]| Header::parse(bytes, false).unwrap().map(|h| (h.len, h.size));
        assert_eq!(read(b"\x81\x85abcd"), Some((5, 6)));
        assert_eq!(read(b"\x82\xfe\x00\x7eabcd"), Some((126, 8)));
        assert_eq!(read(b"\x82\xff\0\0\0\0\0\x01\0\0abcd"), Some((65536, 14)));
        let longest = b"\x82\xff\0\0\0\0\0\x01\0\0abcd";
        for cut in 0..longest.len() {
            assert_eq!(read(&longest[..cut]), None);
        }
    }

    #[test]
    fn refuses_what_the_rfc_forbids_as_early_as_it_shows() {
        fails(b"\x83"); // reserved opcode
        fails(b"\x8b");
        fails(b"\xc1"); // RSV1 without an extension
        fails(b"\xa1");
        fails(b"\x91");
        fails(b"\x81\x05"); // not masked
        fails(b"\x09\x80"); // fragmented ping
        fails(b"\x89\xfe"); // long ping
        fails(b"\x81\xfe\x00\x7d"); // 125 in two bytes
        fails(b"\x81\xff\0\0\0\0\0\0\xff\xff"); // 65535 in eight
        fails(b"\x81\xff\x80\0\0\0\0\0\0\0"); // highest bit
    }

    #[test]
    fn rsv1_is_for_first_data_frames_only() {
        let code = |bytes: &[u8]| Header::parse(bytes, true).map(|h| h.unwrap().compressed).map_err(|f| f.code);
        assert_eq!(code(b"\xc1\x80abcd"), Ok(true));
        assert_eq!(code(b"\x81\x80abcd"), Ok(false));
        assert_eq!(code(b"\xc0\x80abcd"), Err(1002));
        assert_eq!(code(b"\xc9\x80abcd"), Err(1002));
        assert_eq!(code(b"\xe1\x80abcd"), Err(1002));
    }

    #[test]
    fn writes_the_shortest_length() {
        for (len, start) in [
            (0, b"\x82\x00".to_vec()),
            (125, b"\x82\x7d".to_vec()),
            (126, b"\x82\x7e\x00\x7e".to_vec()),
            (65535, b"\x82\x7e\xff\xff".to_vec()),
            (65536, b"\x82\x7f\0\0\0\0\0\x01\0\0".to_vec()),
        ] {
            let frame = prepared(false, &vec![7; len]);
            assert!(frame.starts_with(&start));
            assert_eq!(frame.len(), start.len() + len);
        }
        assert_eq!(prepared(true, b"Hello"), b"\x81\x05Hello");
    }

    #[test]
    fn control_frames_are_bounded() {
        let mut out = Vec::new();
        close(&mut out, 1000, "");
        close(&mut out, 1005, "not sent");
        assert_eq!(out, b"\x88\x02\x03\xe8\x88\x00");
        out.clear();
        close(&mut out, 1011, &"é".repeat(100));
        assert_eq!(out.len(), 2 + 2 + 122);
        assert!(std::str::from_utf8(&out[4..]).is_ok());
        out.clear();
        ping(&mut out, &[1; 200]);
        pong(&mut out, b"x");
        assert_eq!((out.len(), &out[127..]), (127 + 3, b"\x8a\x01x".as_slice()));
    }
}
