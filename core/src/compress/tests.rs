use std::io::{Read, Write};

use proptest::prelude::*;

use super::*;
use crate::metrics::tests::thread_time;

const ALL: [Coding; 3] = [Coding::Zstd, Coding::Brotli, Coding::Gzip];

fn settings(text: &str) -> Settings {
    Settings::parse(text, 500).unwrap().unwrap()
}

fn decode(coding: Coding, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match coding {
        Coding::Zstd => zstd::stream::read::Decoder::new(data).unwrap().read_to_end(&mut out),
        Coding::Gzip => flate2::read::GzDecoder::new(data).read_to_end(&mut out),
        Coding::Brotli => brotli::Decompressor::new(data, 4096).read_to_end(&mut out),
    }
    .unwrap();
    out
}

/// As many bytes as can be decoded of a coding that goes on.
fn decode_part(coding: Coding, data: &[u8]) -> Vec<u8> {
    let mut reader: Box<dyn Read> = match coding {
        Coding::Zstd => Box::new(zstd::stream::read::Decoder::new(data).unwrap()),
        Coding::Gzip => Box::new(flate2::read::GzDecoder::new(data)),
        Coding::Brotli => Box::new(brotli::Decompressor::new(data, 4096)),
    };
    let (mut out, mut byte) = (Vec::new(), [0]);
    while reader.read(&mut byte).is_ok_and(|count| count == 1) {
        out.push(byte[0]);
    }
    out
}

#[test]
fn settings_are_read() {
    assert!(Settings::parse("off", 0).unwrap().is_none());
    assert_eq!(settings("zstd, gzip:6").codings, [(Coding::Zstd, 3), (Coding::Gzip, 6)]);
    assert_eq!(settings("br:11").codings, [(Coding::Brotli, 11)]);
    for (text, part) in [
        ("", "none of"),
        ("deflate", "deflate"),
        ("gzip,", "none of"),
        ("gzip:0", "from 1 to 9"),
        ("gzip:10", "from 1 to 9"),
        ("br:12", "from 0 to 11"),
        ("zstd:20", "from 1 to 19"),
        ("zstd:x", "from 1 to 19"),
        ("gzip:-1", "from 1 to 9"),
        ("gzip,gzip:2", "twice"),
    ] {
        let error = Settings::parse(text, 0).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn negotiation() {
    use Coding::{Brotli, Gzip, Zstd};
    let three = settings("zstd,br,gzip");
    for (accept, expected) in [
        (&["gzip, deflate, br, zstd"][..], Some(Zstd)),
        (&["gzip, deflate, br"], Some(Brotli)),
        (&["gzip"], Some(Gzip)),
        (&["GZip"], Some(Gzip)),
        (&["x-gzip"], Some(Gzip)),
        (&["deflate"], None),
        (&[""], None),
        (&[], None),
        (&["identity"], None),
        (&["*"], Some(Zstd)),
        (&["*;q=0"], None),
        (&["*;q=0, gzip"], Some(Gzip)),
        (&["*, zstd;q=0"], Some(Brotli)),
        (&["zstd;q=0, br;q=0, gzip;q=0"], None),
        (&["gzip;q=1.0, zstd;q=0.5"], Some(Gzip)),
        (&["gzip ; q=0.5 , br;q=0.501"], Some(Brotli)),
        (&["br;q=0.001"], Some(Brotli)),
        (&["br;q=0.000"], None),
        (&["gzip;q=0.5, identity"], None),
        (&["gzip;q=0.5, identity;q=0.4"], Some(Gzip)),
        (&["gzip, identity;q=0"], Some(Gzip)),
        (&["gzip, identity"], Some(Gzip)),
        (&["gzip;Q=0.3"], Some(Gzip)),
        (&["br", "gzip;q=0.1"], Some(Brotli)),
        (&["gzip;q=0.1, gzip"], Some(Gzip)),
        // An element whose weight is broken is no element.
        (&["gzip;q=2"], None),
        (&["gzip;q=1.001"], None),
        (&["gzip;q=0.1234"], None),
        (&["gzip;q=.5"], None),
        (&["gzip;q="], None),
        (&["gzip;q=0.x"], None),
        (&["gzip;level=1"], None),
        (&["gzip;q=0.5;x=1"], None),
        (&[",,gzip,"], Some(Gzip)),
        (&["gzipped, xgzip"], None),
    ] {
        let chosen = negotiate(&three, accept.iter().map(|value| value.as_bytes()));
        assert_eq!(chosen.map(|(coding, _)| coding), expected, "{accept:?}");
    }
    let accept = [&b"zstd, gzip, br"[..]];
    assert_eq!(negotiate(&settings("gzip:7"), accept), Some((Gzip, 7)));
    assert_eq!(negotiate(&settings("br,zstd"), accept), Some((Brotli, 4)));
}

const PAGE: Answer = Answer {
    status: 200,
    content_type: b"text/html; charset=utf-8",
    cache_control: b"",
    encoded: false,
    sets_cookie: false,
    length: Some(5000),
};
const GZIP: Option<(Coding, u32)> = Some((Coding::Gzip, 5));

#[test]
fn plans() {
    let done = Plan { coding: GZIP, vary: true, weaken: true };
    let only_vary = Plan { coding: None, vary: true, weaken: false };
    let nothing = Plan::default();
    let anonymous = Asked { coding: GZIP, credentials: false };
    let member = Asked { coding: GZIP, credentials: true };
    let plain = Asked { coding: None, credentials: false };
    for (name, asked, answer, expected) in [
        ("a page", anonymous, PAGE, done),
        ("a client that takes no coding", plain, PAGE, only_vary),
        ("a stream", anonymous, Answer { length: None, ..PAGE }, done),
        ("an error page", anonymous, Answer { status: 404, ..PAGE }, done),
        // BREACH
        ("a request with credentials", member, PAGE, only_vary),
        ("a public answer", member, Answer { cache_control: b"max-age=5, Public", ..PAGE }, done),
        ("publicity is no public", member, Answer { cache_control: b"publicity, x=public", ..PAGE }, only_vary),
        ("a cookie", anonymous, Answer { sets_cookie: true, ..PAGE }, nothing),
        (
            "a cookie on a public answer",
            member,
            Answer { sets_cookie: true, cache_control: b"public", ..PAGE },
            nothing,
        ),
        // Not twice, not against the application's will, not in part.
        ("coded already", anonymous, Answer { encoded: true, ..PAGE }, nothing),
        ("no-transform", anonymous, Answer { cache_control: b"no-transform", ..PAGE }, nothing),
        ("a part", anonymous, Answer { status: 206, ..PAGE }, nothing),
        ("no range", anonymous, Answer { status: 416, ..PAGE }, nothing),
        ("no content", anonymous, Answer { status: 204, ..PAGE }, nothing),
        ("early hints", anonymous, Answer { status: 103, ..PAGE }, nothing),
        // Not worth it.
        ("a short one", anonymous, Answer { length: Some(499), ..PAGE }, nothing),
        ("long enough", anonymous, Answer { length: Some(500), ..PAGE }, done),
        ("a picture", anonymous, Answer { content_type: b"image/png", ..PAGE }, nothing),
        ("no type", anonymous, Answer { content_type: b"", ..PAGE }, nothing),
        // What a cache holds of the compressed answer has the weak ETag.
        (
            "unchanged",
            anonymous,
            Answer { status: 304, content_type: b"", length: Some(0), ..PAGE },
            Plan { coding: None, ..done },
        ),
        ("unchanged for a member", member, Answer { status: 304, content_type: b"", ..PAGE }, only_vary),
    ] {
        assert_eq!(plan(&settings("gzip"), &asked, &answer), expected, "{name}");
    }
    let any = Settings::parse("gzip", 0).unwrap().unwrap();
    assert_eq!(plan(&any, &anonymous, &Answer { length: Some(0), ..PAGE }), nothing, "an empty body");
}

#[test]
fn types() {
    for (content_type, expected) in [
        ("text/html", true),
        ("TEXT/CSS; charset=utf-8", true),
        ("application/json", true),
        ("application/problem+json", true),
        ("image/svg+xml", true),
        ("text/event-stream", false),
        ("text/event-stream; charset=utf-8", false),
        ("application/octet-stream", false),
        ("application/zip", false),
        ("font/woff2", false),
        ("image/jpeg", false),
        ("video/mp4", false),
        ("multipart/form-data", false),
    ] {
        assert_eq!(compressible(content_type.as_bytes()), expected, "{content_type}");
    }
}

#[test]
fn fields() {
    for (own, merged) in [
        ("", Some("Accept-Encoding")),
        ("Cookie", Some("Cookie, Accept-Encoding")),
        ("Cookie, Origin ", Some("Cookie, Origin, Accept-Encoding")),
        ("accept-encoding", None),
        ("Cookie,Accept-Encoding", None),
        ("*", None),
        ("X-Accept-Encoding", Some("X-Accept-Encoding, Accept-Encoding")),
    ] {
        assert_eq!(vary(own.as_bytes()).as_deref(), merged.map(str::as_bytes), "{own}");
    }
    assert_eq!(weak(b"\"a\""), b"W/\"a\"");
    assert_eq!(weak(b"W/\"a\""), b"W/\"a\"");
}

#[test]
fn bodies_come_back() {
    let text = "Hello, compressed world. ".repeat(400).into_bytes();
    let mut encoders = Encoders::default();
    for coding in ALL {
        let (low, high) = (*coding.levels().start(), *coding.levels().end());
        // Twice each: contexts are used again.
        let sizes = [low, high, low, high].map(|level| {
            let coded = encoders.compress(coding, level, &text).unwrap();
            assert_eq!(decode(coding, &coded), text, "{coding:?} {level}");
            coded.len()
        });
        assert_eq!((sizes[0], sizes[1]), (sizes[2], sizes[3]));
        assert!(sizes[0] < text.len() / 10, "{coding:?}");
        assert!(encoders.compress(coding, low, b"x").is_none(), "{coding:?}: longer than the body");
    }
}

/// A level that is set must be felt.
#[test]
fn levels_are_honoured() {
    // Words in an order that does not come again, as in prose.
    let mut state = 1_u32;
    let mut word = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("word{} ", (state >> 24) * (state >> 28))
    };
    let text: Vec<u8> = (0..6_000).flat_map(|_| word().into_bytes()).collect();
    for coding in ALL {
        let [low, high] = [coding.levels().start(), coding.levels().end()].map(|level| {
            let mut stream = Vec::new();
            let mut made = Stream::new(coding, *level).unwrap();
            made.write(&text, &mut stream).unwrap();
            made.end(&mut stream).unwrap();
            (Encoders::default().compress(coding, *level, &text).unwrap().len(), stream.len())
        });
        assert!(high.0 < low.0 && high.1 < low.1, "{coding:?}: {low:?} {high:?}");
    }
}

#[test]
fn a_small_body_needs_no_large_window() {
    let coded = Encoders::default().compress(Coding::Brotli, 4, &b"hello ".repeat(2000)).unwrap();
    // RFC 7932 9.1: a stream begins with a single 0 when its window has 16 bits.
    assert_eq!(coded.first().map(|byte| byte & 1), Some(0));
}

#[test]
fn every_chunk_of_a_stream_can_be_read_at_once() {
    for coding in ALL {
        let mut stream = Stream::new(coding, coding.default_level()).unwrap();
        let (mut sent, mut expected) = (Vec::new(), Vec::new());
        for number in 0..20 {
            let chunk = format!("event {number}\n").repeat(number);
            expected.extend_from_slice(chunk.as_bytes());
            stream.write(chunk.as_bytes(), &mut sent).unwrap();
            assert_eq!(decode_part(coding, &sent), expected, "{coding:?} {number}");
        }
        stream.end(&mut sent).unwrap();
        assert_eq!(decode(coding, &sent), expected, "{coding:?}");
    }
}

proptest! {
    #[test]
    fn any_body_comes_back(data: Vec<u8>, cuts: Vec<u8>) {
        for coding in ALL {
            let (mut stream, mut sent, mut rest) = (Stream::new(coding, 1).unwrap(), Vec::new(), data.as_slice());
            for cut in &cuts {
                let (head, tail) = rest.split_at(usize::from(*cut).min(rest.len()));
                stream.write(head, &mut sent).unwrap();
                rest = tail;
            }
            stream.write(rest, &mut sent).unwrap();
            stream.end(&mut sent).unwrap();
            prop_assert_eq!(decode(coding, &sent), data.clone());
        }
    }

    #[test]
    fn any_field_is_read(accept: Vec<Vec<u8>>, text: Vec<u8>) {
        let _ = negotiate(&settings("zstd,br,gzip"), accept.iter().map(Vec::as_slice));
        let merged = vary(&text).unwrap_or(text.clone());
        prop_assert!(vary(&merged).is_none());
        compressible(&text);
    }
}

/// `cargo test --release -- --ignored --nocapture nanoseconds`
#[test]
#[ignore = "a measurement"]
fn nanoseconds() {
    let page: String =
        (0..200).map(|n| format!("<li class=\"item\"><a href=\"/items/{n}\">Item number {n}</a></li>\n")).collect();
    let mut encoders = Encoders::default();
    for (coding, level) in ALL.map(|coding| (coding, coding.default_level())) {
        let (start, mut size) = (thread_time(), 0);
        for _ in 0..500 {
            size = encoders.compress(coding, level, page.as_bytes()).unwrap().len();
        }
        let each = (thread_time() - start).as_micros() as f64 / 500.0;
        let name = coding.name();
        writeln!(std::io::stdout(), "{name}:{level}: {each:.0} us for {} bytes to {size}", page.len()).unwrap();
    }
    let three = settings("zstd,br,gzip");
    let start = thread_time();
    for _ in 0..1_000_000 {
        std::hint::black_box(negotiate(&three, [std::hint::black_box(&b"gzip, deflate, br, zstd"[..])]));
    }
    writeln!(std::io::stdout(), "negotiate: {} ns", (thread_time() - start).as_nanos() / 1_000_000).unwrap();
}
