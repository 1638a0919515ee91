//! The answer that opens a WebSocket (RFC 6455 section 4.2.2).

use super::Deflate;
use super::extension::is_token;

/// A name or value that cannot be sent, or a field that the handshake itself writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadResponse;

/// Appends a 101 response to `out`, field by field. After an error `out` is as it was before.
pub struct Response<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Response<'a> {
    /// `accept` and `deflate` come from the `Handshake`; `protocol` is the one chosen of its protocols.
    pub fn begin(
        out: &'a mut Vec<u8>,
        accept: &[u8; 28],
        deflate: Option<Deflate>,
        protocol: Option<&[u8]>,
    ) -> Result<Self, BadResponse> {
        let start = out.len();
        out.extend_from_slice(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ",
        );
        out.extend_from_slice(accept);
        out.extend_from_slice(b"\r\n");
        let mut response = Self { out, start };
        if let Some(deflate) = deflate {
            response.line(b"Sec-WebSocket-Extensions", deflate.answer().as_bytes());
        }
        match protocol {
            Some(name) if name.is_empty() || !name.iter().all(|&byte| is_token(byte)) => return Err(response.fail()),
            Some(name) => response.line(b"Sec-WebSocket-Protocol", name),
            None => {}
        }
        Ok(response)
    }

    /// One field of the application's.
    pub fn field(&mut self, name: &[u8], value: &[u8]) -> Result<(), BadResponse> {
        let sound = !name.is_empty()
            && name.iter().all(|&byte| is_token(byte))
            && value.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f));
        if !sound || RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
            return Err(self.fail());
        }
        self.line(name, value);
        Ok(())
    }

    pub fn end(self) {
        self.out.extend_from_slice(b"\r\n");
    }

    fn line(&mut self, name: &[u8], value: &[u8]) {
        for part in [name, b": ", value, b"\r\n"] {
            self.out.extend_from_slice(part);
        }
    }

    fn fail(&mut self) -> BadResponse {
        self.out.truncate(self.start);
        BadResponse
    }
}

const RESERVED: [&[u8]; 8] = [
    b"connection",
    b"upgrade",
    b"content-length",
    b"transfer-encoding",
    b"sec-websocket-accept",
    b"sec-websocket-extensions",
    b"sec-websocket-protocol",
    b"sec-websocket-version",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ws::accept_key;

    #[test]
    fn writes_the_example_of_the_rfc() {
        let mut out = Vec::new();
        let accept = accept_key(b"dGhlIHNhbXBsZSBub25jZQ==");
        let mut response =
            Response::begin(&mut out, &accept, Some(Deflate { server_bits: None }), Some(b"chat")).unwrap();
        response.field(b"Set-Cookie", b"a=b").unwrap();
        response.end();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
             Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n\
             Sec-WebSocket-Protocol: chat\r\nSet-Cookie: a=b\r\n\r\n"
        );
    }

    #[test]
    fn refuses_what_would_split_or_contradict_it() {
        for (name, value) in [
            (b"x".as_slice(), b"a\r\nb".as_slice()),
            (b"x y", b"a"),
            (b"", b"a"),
            (b"x", b"\0"),
            (b"Sec-WebSocket-Protocol", b"chat"),
            (b"Content-Length", b"0"),
        ] {
            let mut out = b"before".to_vec();
            let mut response = Response::begin(&mut out, &[b'a'; 28], None, None).unwrap();
            assert_eq!(response.field(name, value), Err(BadResponse));
            assert_eq!(out, b"before");
        }
        let mut out = Vec::new();
        assert!(Response::begin(&mut out, &[b'a'; 28], None, Some(b"a\r\nb")).is_err());
        assert!(out.is_empty());
    }
}
