use super::{one, refused};
use crate::http::target::{authority, percent_decode};

fn request(line: &str, host: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

#[test]
fn forms() {
    for (line, host, path, query) in [
        ("GET /", "a", "/", None),
        ("GET /?", "a", "/", Some("")),
        ("GET /a?b?c", "a", "/a", Some("b?c")),
        ("GET //a//b", "a", "//a//b", None),
        ("GET /with_\"quotes\"|\\^{}[]", "a", "/with_\"quotes\"|\\^{}[]", None),
        ("GET /%zz%00", "a", "/%zz%00", None),
        ("GET http://b:80/c?d", "b:80", "/c", Some("d")),
        ("GET HTTPS://b", "b", "/", None),
        ("GET http://b?x=1", "b", "/", Some("x=1")),
        ("GET http://[::1]:8080/x", "[::1]:8080", "/x", None),
        ("OPTIONS *", "a", "*", None),
        ("OPTIONS http://b", "b", "/", None),
    ] {
        let read = one(request(line, host));
        assert_eq!(read.path, path.as_bytes(), "{line}");
        assert_eq!(read.query.as_deref(), query.map(str::as_bytes), "{line}");
        assert_eq!(read.host, host.as_bytes(), "{line}");
    }
}

#[test]
fn refused_forms() {
    for line in [
        "GET *",
        "GET a/b",
        "GET a:80",
        "GET http:/a",
        "GET http:///x",
        "GET http://:80/x",
        "GET http://u@a/",
        "GET http://u:p@a/",
        "GET http://a:b/",
        "GET http://[::1/",
        "GET ftp://a/",
        "GET /a#b",
        "GET http://a#b",
        "OPTIONS *x",
        "GET ?x",
        "GET #",
    ] {
        assert_eq!(refused(request(line, "a")).status, 400, "{line}");
    }
}

#[test]
fn an_absolute_form_takes_the_place_of_host() {
    let read = one("GET http://right/x HTTP/1.1\r\nHost: wrong\r\nA: b\r\n\r\n");
    assert_eq!(read.host, b"right");
    assert_eq!(read.headers[0], (b"Host".to_vec(), b"right".to_vec()));
    assert_eq!(one("GET http://right/x HTTP/1.0\r\n\r\n").host, b"right");
    assert_eq!(refused("GET http://right/x HTTP/1.1\r\n\r\n").status, 400, "RFC 9112 section 3.2: Host is required");
    assert_eq!(refused("GET http://right/x HTTP/1.1\r\nHost: a b\r\n\r\n").status, 400);
}

#[test]
fn authorities() {
    for good in [
        "a",
        "a.b.c",
        "a:80",
        "a:",
        "1.2.3.4:65535",
        "xn--bcher-kva.example",
        "a_b",
        "a%41",
        "0.0.0.0=5000",
        "[::]",
        "[2001:db8::1]:1",
        "[v1.fe80]",
        "[::ffff:1.2.3.4]",
    ] {
        assert!(authority(good.as_bytes()), "{good}");
    }
    for wrong in [
        "",
        ":80",
        "a:65536",
        "a:8a",
        "a:-1",
        "a:80:80",
        "a/b",
        "a b",
        "a@b",
        "a?b",
        "a#b",
        "a,b c",
        "a\\b",
        "a<b",
        "a%4",
        "a%zz",
        "::1",
        "[::1",
        "[::1]a",
        "[::1]:x",
        "[]",
        "[::g]",
        "[1.2.3.4]",
        "[fe80::1%eth0]",
        "[v.a]",
        "[v1]",
        "\u{e9}",
        "a\"",
        "a\tb",
        "a\0",
    ] {
        assert!(!authority(wrong.as_bytes()), "{wrong}");
    }
}

#[test]
fn percent_decoding() {
    for (escaped, plain) in [
        ("/a", "/a"),
        ("/%41%2f", "/A/"),
        ("%", "%"),
        ("%4", "%4"),
        ("%4x%41", "%4xA"),
        ("%%41", "%A"),
        ("/%c3%A9/", "/\u{e9}/"),
    ] {
        assert_eq!(percent_decode(escaped.as_bytes()), plain.as_bytes());
    }
}
