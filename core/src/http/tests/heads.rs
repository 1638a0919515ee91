use super::{one, refused, with};
use crate::http::replay::{Ending, Replay, replay};
use crate::http::{Framing, Head, Limits, Method};

#[test]
fn a_usual_request() {
    let bytes = b"GET /a/b?c=d&e HTTP/1.1\r\nHost: example.org\r\nX-Pad:  \t v w \t\r\nEmpty:\r\n\r\nrest";
    let mut head = Head::default();
    let mut seen = 0;
    assert_eq!(head.parse(bytes, &mut seen, &Limits::default()), Ok(true));
    assert_eq!((head.method, head.minor, head.framing, seen), (Method::Get, 1, Framing::None, 0));
    assert_eq!(head.path.of(bytes), b"/a/b");
    assert_eq!((head.query.of(bytes), head.has_query), (&b"c=d&e"[..], true));
    assert_eq!(head.host.of(bytes), b"example.org");
    assert_eq!(head.field(bytes, b"x-pad"), Some(&b"v w"[..]));
    assert_eq!(head.field(bytes, b"empty"), Some(&b""[..]));
    assert_eq!(head.field(bytes, b"absent"), None);
    assert_eq!(&bytes[head.len..], b"rest");
    assert!(head.keep_alive && !head.expect_continue && !head.websocket);
}

#[test]
fn a_head_that_is_parsed_into_again_keeps_nothing() {
    let mut head = Head::default();
    for bytes in [
        &b"POST http://b/x?y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"[..],
        b"GET /z HTTP/1.0\r\n\r\n",
    ] {
        assert_eq!(head.parse(bytes, &mut 0, &Limits::default()), Ok(true));
    }
    assert!(head.fields.is_empty() && head.host.is_empty() && !head.has_query && head.query.is_empty());
    assert!(!head.expect_continue && !head.keep_alive);
    assert_eq!(head.framing, Framing::None);
}

#[test]
fn refused_request_lines() {
    for (line, status) in [
        ("GET / HTTP/1.2", 505),
        ("GET / HTTP/2.0", 505),
        ("GET / HTTP/0.9", 505),
        ("PRI * HTTP/2.0", 505),
        ("GET / HTTP/1.10", 400),
        ("GET / HTTP/11", 400),
        ("GET / http/1.1", 400),
        ("GET / HTTPS/1.1", 400),
        ("GET / HTTP /1.1", 400),
        ("GET /", 400),
        ("GET HTTP/1.1", 400),
        ("GET  / HTTP/1.1", 400),
        ("GET /  HTTP/1.1", 400),
        ("GET\t/\tHTTP/1.1", 400),
        ("GET / HTTP/1.1 ", 400),
        ("GET / HTTP/1.1\r", 400),
        (" GET / HTTP/1.1", 400),
        ("GET /a b HTTP/1.1", 400),
        ("get / HTTP/1.1", 400),
        ("Get / HTTP/1.1", 400),
        ("G(T / HTTP/1.1", 400),
        ("GET: / HTTP/1.1", 400),
        ("/ HTTP/1.1", 400),
        ("\x16\x03\x01 / HTTP/1.1", 400),
        ("GET /\x7f HTTP/1.1", 400),
        ("GET /\0 HTTP/1.1", 400),
        ("GET /\u{e9} HTTP/1.1", 400),
        ("CONNECT a:443 HTTP/1.1", 501),
        ("CONNECT a HTTP/1.1", 400),
        ("CONNECT / HTTP/1.1", 400),
    ] {
        assert_eq!(refused(format!("{line}\r\nHost: a\r\n\r\n")).status, status, "{line}");
    }
}

#[test]
fn a_bad_request_line_is_refused_before_its_fields_come() {
    for (line, status) in [("GET / HTTP/3.0\r\n", 505), ("hello\r\n", 400), ("\x16", 400), ("GET / HTTP/1.1\n", 400)] {
        assert_eq!(refused(line).status, status, "{line}");
    }
}

#[test]
fn one_empty_line_may_come_first() {
    assert_eq!(one("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").method, b"GET");
    for start in ["\r\n\r\n", "\n", "\r\n\n", "\r\r\n", " \r\n"] {
        assert_eq!(refused(format!("{start}GET / HTTP/1.1\r\nHost: a\r\n\r\n")).status, 400, "{start:?}");
    }
}

#[test]
fn refused_fields() {
    for (fields, status) in [
        ("X: a\n", 400),
        ("X: a\nY: b\r\n", 400),
        ("X: a\rY: b\r\n", 400),
        ("X: a\r\r\n", 400),
        ("X: a\0b\r\n", 400),
        ("X: a\x0bb\r\n", 400),
        ("X: a\x7f\r\n", 400),
        ("X : a\r\n", 400),
        ("X\t: a\r\n", 400),
        (" X: a\r\n", 400),
        ("X: a\r\n b\r\n", 400),
        ("X: a\r\n\tb\r\n", 400),
        (": a\r\n", 400),
        ("X\r\n", 400),
        ("X(: a\r\n", 400),
        ("X\u{df}: a\r\n", 400),
        ("Host: a\r\n", 400),
        ("Content-Length: 1\r\nContent-Length: 1\r\n", 400),
        ("Content-Length: 1, 1\r\n", 400),
        ("Content-Length: +1\r\n", 400),
        ("Content-Length: -1\r\n", 400),
        ("Content-Length: 0x1\r\n", 400),
        ("Content-Length: 1_0\r\n", 400),
        ("Content-Length: 1 0\r\n", 400),
        ("Content-Length: \r\n", 400),
        ("Content-Length: 18446744073709551616\r\n", 400),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", 400),
        ("Transfer-Encoding: identity\r\n", 400),
        ("Transfer-Encoding: \r\n", 400),
        ("Transfer-Encoding: ,chunked\r\n", 400),
        ("Transfer-Encoding: chunked,\r\n", 400),
        ("Transfer-Encoding: \"chunked\"\r\n", 400),
        ("Transfer-Encoding: chunked;q=1\r\n", 400),
        ("Transfer-Encoding: chunked \t \r\n", 400),
        ("Transfer-Encoding: xchunked\r\n", 400),
        ("Transfer-Encoding: chunked, gzip\r\n", 400),
        ("Transfer-Encoding: chunked, chunked\r\n", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", 400),
        ("Transfer-Encoding: gzip, chunked\r\n", 501),
        ("Content-Type: a/b\r\nContent-Type: a/b\r\n", 400),
        ("Expect: 200-ok\r\n", 417),
        ("Expect: 100-continue, more\r\n", 417),
        ("Expect:\r\n", 417),
    ] {
        assert_eq!(refused(with(fields)).status, status, "{fields:?}");
    }
    let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(refused(old).status, 400);
    assert_eq!(
        refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: x\r\n\r\n").status,
        400
    );
}

#[test]
fn bounds() {
    let limits = Limits { head: 200, fields: 3, target: 50 };
    let refused = |data: &str| match replay(data.as_bytes(), &limits) {
        (_, Ending::Refused(refusal)) => refusal.status,
        other => panic!("{other:?}"),
    };
    let target = |length: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(length - 1));
    assert_eq!(replay(target(50).as_bytes(), &limits).1, Ending::Complete);
    assert_eq!(refused(&target(51)), 414);
    assert_eq!(refused(&target(300)), 414);
    assert_eq!(refused(&with("A: 1\r\nB: 2\r\nC: 3\r\n")), 431);
    assert_eq!(replay(with("A: 1\r\nB: 2\r\n").as_bytes(), &limits).1, Ending::Complete);
    let head = |length: usize| with(&format!("X: {}\r\n", "y".repeat(length - with("X: \r\n").len())));
    assert_eq!(replay(head(200).as_bytes(), &limits).1, Ending::Complete);
    assert_eq!(refused(&head(201)), 431);
    assert_eq!(refused(&head(400)[..200]), 431);
    assert_eq!(replay(&head(400).as_bytes()[..199], &limits).1, Ending::Incomplete);
    let field = |length: usize| with(&format!("X: {}\r\n", "y".repeat(length - 5)));
    let after = |length: usize| with(&format!("X: {}\r\nY: z\r\n", "y".repeat(length - 5)));
    for long in [field(8191), after(8191)] {
        assert_eq!(super::refused(long).status, 431);
    }
    for longest in [field(8190), after(8190)] {
        one(longest);
    }
    let many = Limits { fields: 500, ..Limits::default() };
    let fields = |count: usize| with(&"A: b\r\n".repeat(count - 1));
    assert_eq!(replay(fields(500).as_bytes(), &many).1, Ending::Complete);
    assert!(matches!(replay(fields(501).as_bytes(), &many).1, Ending::Refused(refusal) if refusal.status == 431));
}

#[test]
fn connections() {
    let keeps = |version: &str, field: &str| one(format!("GET / HTTP/{version}\r\nHost: a\r\n{field}\r\n")).keep_alive;
    assert!(keeps("1.1", ""));
    assert!(!keeps("1.1", "Connection: close\r\n"));
    assert!(!keeps("1.1", "Connection: Keep-Alive, CLOSE\r\n"));
    assert!(!keeps("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
    assert!(keeps("1.1", "Connection: closed\r\n"));
    assert!(!keeps("1.0", ""));
    assert!(keeps("1.0", "Connection: x ,\tkeep-alive\r\n"));
    assert!(!keeps("1.0", "Connection: keep-alive, close\r\n"));
}

#[test]
fn expectations() {
    let expects = |version: &str, field: &str| {
        one(format!("POST / HTTP/{version}\r\nHost: a\r\nExpect: 100-Continue\r\n{field}\r\nx")).expect_continue
    };
    assert!(expects("1.1", "Content-Length: 1\r\n"));
    assert!(!expects("1.0", "Content-Length: 1\r\n"), "RFC 9110 section 10.1.1: ignored");
    assert!(!one(with("Expect: 100-continue\r\n")).expect_continue, "there is no body to wait for");
}

#[test]
fn websockets() {
    let asks = |start: &str, fields: &str| {
        replay(format!("{start}\r\nHost: a\r\n{fields}\r\n").as_bytes(), &Limits::default()).0[0].websocket
    };
    let fields = "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n";
    assert!(asks("GET / HTTP/1.1", fields));
    assert!(asks("GET / HTTP/1.1", "Upgrade: h2c, websocket\r\nConnection: upgrade\r\n"));
    assert!(!asks("GET / HTTP/1.0", fields));
    assert!(!asks("POST / HTTP/1.1", fields));
    assert!(!asks("GET / HTTP/1.1", "Upgrade: websocket\r\n"));
    assert!(!asks("GET / HTTP/1.1", "Upgrade: websockets\r\nConnection: Upgrade\r\n"));
    assert!(!one(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}Content-Length: 1\r\n\r\nx")).websocket);
}

#[test]
fn a_slow_head_is_searched_once() {
    let bytes = with(&"A: b\r\n".repeat(90));
    let mut head = Head::default();
    let mut seen = 0;
    for end in 1..bytes.len() {
        assert_eq!(head.parse(&bytes.as_bytes()[..end], &mut seen, &Limits::default()), Ok(false));
        assert_eq!(seen, end);
    }
    assert_eq!(head.parse(bytes.as_bytes(), &mut seen, &Limits::default()), Ok(true));
    assert_eq!((seen, head.fields.len()), (0, 91));
}

#[test]
fn requests_in_a_row() {
    let mut connection = Replay::new(Limits::default());
    connection
        .push(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    connection.push(b"GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /4");
    let targets: Vec<_> = connection.requests.iter().map(|request| request.target.escape_ascii().to_string()).collect();
    assert_eq!(targets, ["/1", "/2", "/3"]);
    assert_eq!(connection.ending(), Ending::Complete);
}
