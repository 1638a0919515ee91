use super::*;
use crate::http::Refusal;
use crate::http::head::{Head, Limits};
use proptest::prelude::*;

const GOOD: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
                    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

fn check(request: &str, deflate: bool) -> Result<(Handshake, Vec<String>), Refusal> {
    let request = format!("{request}\r\n");
    let mut head = Head::default();
    let limits = Limits { head: 65536, fields: 100, target: 8192 };
    assert!(head.parse(request.as_bytes(), &mut 0, &limits).unwrap());
    let handshake = check_handshake(&head, request.as_bytes(), &Settings { deflate, ..Settings::default() })?;
    let names = handshake
        .protocols
        .iter()
        .map(|span| String::from_utf8(span.of(request.as_bytes()).to_vec()).unwrap())
        .collect();
    Ok((handshake, names))
}

fn status(request: &str) -> u16 {
    check(request, true).map_or_else(|refusal| refusal.status, |_| 101)
}

#[test]
fn the_key_of_the_rfc() {
    assert_eq!(&accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    let (handshake, names) = check(GOOD, true).unwrap();
    assert_eq!(&handshake.accept, b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!((names.len(), handshake.deflate), (0, None));
}

#[test]
fn subprotocols_keep_their_order_over_several_fields() {
    let request = format!("{GOOD}Sec-WebSocket-Protocol: chat ,, v2.chat\r\nSEC-WEBSOCKET-PROTOCOL: soap\r\n");
    assert_eq!(check(&request, true).unwrap().1, ["chat", "v2.chat", "soap"]);
    assert_eq!(status(&format!("{GOOD}Sec-WebSocket-Protocol: a b\r\n")), 400);
}

#[test]
fn deflate_is_taken_when_offered_and_allowed() {
    let request = format!("{GOOD}Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
    assert_eq!(check(&request, true).unwrap().0.deflate, Some(Deflate { server_bits: None }));
    assert_eq!(check(&request, false).unwrap().0.deflate, None);
    assert_eq!(status(&format!("{GOOD}Sec-WebSocket-Extensions: ;\r\n")), 400);
}

#[test]
fn refuses_what_is_no_handshake() {
    assert_eq!(status(GOOD), 101);
    let with = |from, to| status(&GOOD.replace(from, to));
    assert_eq!(with("GET", "POST"), 400);
    assert_eq!(with("HTTP/1.1", "HTTP/1.0"), 400);
    assert_eq!(with("Upgrade: websocket", "Upgrade: h2c"), 400);
    assert_eq!(with("keep-alive, Upgrade", "keep-alive"), 400);
    assert_eq!(with("Version: 13", "Version: 8"), 426);
    assert_eq!(with("Version: 13", "Version: 13, 8"), 426);
    assert_eq!(with("Sec-WebSocket-Version: 13\r\n", ""), 426);
    assert_eq!(with("Version: 13", "Version: 13\r\nSec-WebSocket-Version: 13"), 400);
    assert_eq!(with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 400);
    assert_eq!(with("bXBsZSBub25jZQ==", "bXBsZSBub25jZQ"), 400);
    assert_eq!(with("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZSEh"), 400);
    assert_eq!(with("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZS=="), 101);
    assert_eq!(with("dGhl", "!!!!"), 400);
    assert_eq!(with("Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nUpgrade: websocket"), 400);
    assert_eq!(with("Upgrade: websocket", "Content-Length: 0\r\nUpgrade: websocket"), 101);
    assert_eq!(with("Upgrade: websocket", "Content-Length: 5\r\nUpgrade: websocket"), 400);
    assert_eq!(with("Upgrade: websocket", "Transfer-Encoding: chunked\r\nUpgrade: websocket"), 400);
}

proptest! {
    #[test]
    fn any_values_end(key in "[ -~]{0,40}", version in "[ -~]{0,4}", list in "[ -~]{0,60}") {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: {key}\r\n\
             Sec-WebSocket-Version: {version}\r\nSec-WebSocket-Protocol: {list}\r\nSec-WebSocket-Extensions: {list}\r\n"
        );
        let _ = check(&request, true);
    }
}
