use super::DATE;
use crate::http::response::valid_field;
use crate::http::{BadField, Body, BodyLength, Refusal, Rendering, Sent, chunk, last_chunk, refusal};

struct Case<'a> {
    minor: u8,
    status: u16,
    to_head: bool,
    fields: &'a [(&'a str, &'a str)],
    length: BodyLength,
    keep_alive: bool,
}

const CASE: Case<'_> =
    Case { minor: 1, status: 200, to_head: false, fields: &[], length: BodyLength::Known(2), keep_alive: true };

fn render(case: &Case<'_>) -> Result<(String, Sent), BadField> {
    let mut out = b"before".to_vec();
    let mut rendering = Rendering::begin(&mut out, case.minor, case.status).to_head(case.to_head);
    let fields = case.fields.iter().try_for_each(|(name, value)| rendering.field(name.as_bytes(), value.as_bytes()));
    let sent = rendering.end(case.length, case.keep_alive, DATE);
    if let Err(error) = fields.and(sent) {
        assert_eq!(out, b"before", "taken back");
        return Err(error);
    }
    let text = String::from_utf8(out)
        .unwrap()
        .strip_prefix("before")
        .unwrap()
        .replace("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "DATE ");
    Ok((text.replace("\r\n", "|"), sent.unwrap()))
}

#[track_caller]
fn check(case: Case<'_>, text: &str, body: Body, keep_alive: bool) {
    assert_eq!(render(&case), Ok((text.to_owned(), Sent { body, keep_alive })));
}

#[test]
fn known_lengths() {
    let fields = &[("Content-Type", "a/b"), ("x-y", "")];
    check(
        Case { fields, ..CASE },
        "HTTP/1.1 200 OK|Content-Type: a/b|x-y: |DATE Content-Length: 2||",
        Body::Length(2),
        true,
    );
    let fields = &[("content-length", "2"), ("Date", "today"), ("date", "tomorrow")];
    check(Case { fields, ..CASE }, "HTTP/1.1 200 OK|Date: today|Content-Length: 2||", Body::Length(2), true);
    let known = BodyLength::Known(u64::MAX);
    check(
        Case { length: known, ..CASE },
        "HTTP/1.1 200 OK|DATE Content-Length: 18446744073709551615||",
        Body::Length(u64::MAX),
        true,
    );
}

#[test]
fn connections() {
    let text = "HTTP/1.1 200 OK|DATE Content-Length: 2|Connection: close||";
    check(Case { keep_alive: false, ..CASE }, text, Body::Length(2), false);
    check(Case { fields: &[("Connection", "x, Close")], ..CASE }, text, Body::Length(2), false);
    check(Case { keep_alive: false, minor: 0, ..CASE }, text, Body::Length(2), false);
    let text = "HTTP/1.1 200 OK|DATE Content-Length: 2|Connection: keep-alive||";
    check(Case { minor: 0, ..CASE }, text, Body::Length(2), true);
}

#[test]
fn streams() {
    let chunked = Case { length: BodyLength::Chunked, ..CASE };
    let text = "HTTP/1.1 200 OK|DATE Transfer-Encoding: chunked||";
    check(Case { ..chunked }, text, Body::Chunked, true);
    let text = "HTTP/1.1 200 OK|DATE Connection: close||";
    check(Case { minor: 0, ..chunked }, text, Body::UntilClose, false);
    check(Case { length: BodyLength::UntilClose, ..CASE }, text, Body::UntilClose, false);
    let text = "HTTP/1.1 200 OK|DATE Content-Length: 7||";
    check(Case { fields: &[("Content-Length", "7")], ..chunked }, text, Body::Length(7), true);
    let case = Case { fields: &[("Content-Length", "7")], length: BodyLength::UntilClose, ..CASE };
    check(case, text, Body::Length(7), true);
}

#[test]
fn answers_without_a_body() {
    let given = &[("Content-Length", "7")];
    check(Case { to_head: true, ..CASE }, "HTTP/1.1 200 OK|DATE Content-Length: 2||", Body::None, true);
    check(Case { to_head: true, fields: given, ..CASE }, "HTTP/1.1 200 OK|DATE Content-Length: 7||", Body::None, true);
    let case = Case { to_head: true, length: BodyLength::Chunked, ..CASE };
    check(case, "HTTP/1.1 200 OK|DATE |", Body::None, true);
    let case = Case { status: 304, fields: given, ..CASE };
    check(case, "HTTP/1.1 304 Not Modified|DATE Content-Length: 7||", Body::None, true);
    check(Case { status: 304, ..CASE }, "HTTP/1.1 304 Not Modified|DATE |", Body::None, true);
    let case = Case { status: 204, fields: given, length: BodyLength::Chunked, ..CASE };
    check(case, "HTTP/1.1 204 No Content|DATE |", Body::None, true);
    let case = Case { status: 103, fields: &[("Link", "</a>")], ..CASE };
    check(case, "HTTP/1.1 103 Early Hints|Link: </a>||", Body::None, true);
}

#[test]
fn fields_of_the_connection_are_left_out() {
    let names = [
        "Connection",
        "keep-alive",
        "Transfer-Encoding",
        "Upgrade",
        "TE",
        "Trailer",
        "Proxy-Connection",
        "Proxy-Authenticate",
        "Proxy-Authorization",
    ];
    let fields: Vec<_> = names.iter().map(|name| (*name, "x")).collect();
    check(Case { fields: &fields, ..CASE }, "HTTP/1.1 200 OK|DATE Content-Length: 2||", Body::Length(2), true);
}

#[test]
fn statuses() {
    let line = |status| render(&Case { status, ..CASE }).map(|(text, _)| text.split('|').next().unwrap().to_owned());
    assert_eq!(line(404).unwrap(), "HTTP/1.1 404 Not Found");
    assert_eq!(line(599).unwrap(), "HTTP/1.1 599 ");
    for status in [0, 99, 600, 1000, u16::MAX] {
        assert_eq!(line(status), Err(BadField::Status));
    }
}

#[test]
fn refused_fields() {
    for (name, value, error) in [
        ("", "a", BadField::Name),
        ("a b", "a", BadField::Name),
        ("a:", "a", BadField::Name),
        ("a\r\nb", "a", BadField::Name),
        ("\u{e9}", "a", BadField::Name),
        ("a", "a\r\nb: c", BadField::Value),
        ("a", "\n", BadField::Value),
        ("a", "\0", BadField::Value),
        ("a", "\x7f", BadField::Value),
        ("Connection", "a\r\nb: c", BadField::Value),
        ("Content-Length", "3", BadField::Length),
        ("Content-Length", "+2", BadField::Length),
        ("Content-Length", "", BadField::Length),
    ] {
        assert_eq!(render(&Case { fields: &[("X", "y"), (name, value)], ..CASE }), Err(error), "{name:?}: {value:?}");
        if error != BadField::Length {
            assert!(!valid_field(name.as_bytes(), value.as_bytes()));
        }
    }
    let twice = &[("Content-Length", "2"), ("Content-Length", "2")];
    assert_eq!(render(&Case { fields: twice, ..CASE }), Err(BadField::Length));
    assert!(valid_field(b"a", "\t \u{e9}".as_bytes()));
}

#[test]
fn a_refused_field_fails_the_whole_head() {
    let mut out = Vec::new();
    let mut rendering = Rendering::begin(&mut out, 1, 200);
    assert!(rendering.field(b"a", b"\n").is_err());
    assert!(rendering.field(b"a", b"b").is_ok());
    assert_eq!(rendering.end(BodyLength::Known(0), true, DATE), Err(BadField::Value));
    assert!(out.is_empty());
}

#[test]
fn who_has_to_upgrade_hears_it_in_connection_too() {
    for (minor, keep_alive, connection) in
        [(1, true, "Upgrade"), (1, false, "close, Upgrade"), (0, true, "keep-alive, Upgrade")]
    {
        let mut out = Vec::new();
        let mut rendering = Rendering::begin(&mut out, minor, 426);
        rendering.upgrade().unwrap();
        let sent = rendering.end(BodyLength::Known(0), keep_alive, DATE).unwrap();
        assert_eq!(sent.keep_alive, keep_alive);
        let head = String::from_utf8(out).unwrap();
        assert!(head.ends_with(&format!("\r\nUpgrade: websocket\r\nConnection: {connection}\r\n\r\n")), "{head}");
    }
}

#[test]
fn chunks() {
    let mut out = Vec::new();
    chunk(&mut out, b"hello");
    chunk(&mut out, b"");
    chunk(&mut out, &[b'x'; 0x1a0]);
    last_chunk(&mut out);
    assert!(out.starts_with(b"5\r\nhello\r\n1a0\r\nxxx"));
    assert!(out.ends_with(b"xxx\r\n0\r\n\r\n"));
}

#[test]
fn refusals() {
    let text = |status| {
        let mut out = Vec::new();
        refusal(&mut out, &Refusal::new(status, "why"), DATE);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        text(400),
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
         Content-Length: 4\r\nConnection: close\r\n\r\nwhy\n"
    );
    assert!(text(503).contains("\r\nRetry-After: 1\r\n"));
    assert!(text(426).contains("\r\nSec-WebSocket-Version: 13\r\n"));
    assert!(text(426).contains("\r\nUpgrade: websocket\r\nConnection: close, Upgrade\r\n"));
}
