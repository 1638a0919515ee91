//! Arbitrary and mutated input, for `FUZZ_SECONDS` a property (1 when it is not set).

use super::DATE;
use crate::http::replay::{Ending, Replay, Replayed, replay};
use crate::http::{Body, BodyLength, Decoder, Framing, Limits, Rendering, chunk, last_chunk};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::fmt::Debug;
use std::time::{Duration, Instant};

const LIMITS: Limits = Limits { head: 600, fields: 12, target: 100 };

const SEEDS: [&[u8]; 6] = [
    b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
    b"POST /a?b HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 5\r\n\r\nhelloGET /next HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n\
      5;x=\"y\\\"z\";w\r\nhello\r\n0a\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://example.org:8080/x?y HTTP/1.0\r\nHost: other\r\nConnection: keep-alive\r\n\r\n",
    b"\r\nOPTIONS * HTTP/1.1\r\nhost: a\r\nA:b\r\nC: \td \r\n\r\n",
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
];

const PIECES: [&[u8]; 30] = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b"\"",
    b"\\",
    b"#",
    b"%",
    b"/",
    b"*",
    b"\xff",
    b"0",
    b"1",
    b"f",
    b"+",
    b"-",
    b"HTTP/1.1",
    b"chunked",
    b"close",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: b\r\n",
    b"\r\n ",
    b"0\r\n\r\n",
];

#[derive(Clone, Debug)]
enum Mutation {
    Insert(Index, &'static [u8]),
    Set(Index, u8),
    Delete(Index, usize),
    Repeat(Index, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (any::<Index>(), select(&PIECES[..])).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        (any::<Index>(), 1..20usize).prop_map(|(at, length)| Mutation::Delete(at, length)),
        (any::<Index>(), 1..60usize).prop_map(|(at, length)| Mutation::Repeat(at, length)),
    ]
}

fn mutated(seed: &[u8], mutations: &[Mutation]) -> Vec<u8> {
    let mut data = seed.to_vec();
    for mutation in mutations {
        let part = |at: &Index, length: usize| {
            let start = at.index(data.len() + 1);
            start..(start + length).min(data.len())
        };
        match mutation {
            Mutation::Insert(at, piece) => {
                let at = at.index(data.len() + 1);
                data.splice(at..at, piece.iter().copied());
            }
            Mutation::Set(at, byte) if !data.is_empty() => {
                let at = at.index(data.len());
                data[at] = *byte;
            }
            Mutation::Set(..) => {}
            Mutation::Delete(at, length) => drop(data.drain(part(at, *length))),
            Mutation::Repeat(at, length) => {
                let range = part(at, *length);
                let copy = data[range.clone()].to_vec();
                data.splice(range.start..range.start, copy);
            }
        }
    }
    data
}

fn requests() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => vec(any::<u8>(), 0..200),
        9 => (select(&SEEDS[..]), vec(mutation(), 0..5)).prop_map(|(seed, mutations)| mutated(seed, &mutations)),
    ]
}

fn within_budget<S: Strategy<Value: Debug>>(strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let seconds = std::env::var("FUZZ_SECONDS").map_or(1, |text| text.parse().expect("FUZZ_SECONDS is a number"));
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut runner = TestRunner::new(Config { cases: 500, failure_persistence: None, ..Config::default() });
    loop {
        runner.run(&strategy, &test).unwrap();
        if Instant::now() >= end {
            break;
        }
    }
}

fn in_pieces(data: &[u8], cuts: &[Index]) -> (Vec<Replayed>, Ending) {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(data.len() + 1)).collect();
    cuts.sort_unstable();
    let mut connection = Replay::new(LIMITS);
    let mut start = 0;
    for end in cuts.into_iter().chain([data.len()]) {
        connection.push(&data[start..end]);
        start = end;
    }
    let ending = connection.ending();
    (connection.requests, ending)
}

#[test]
fn the_verdict_does_not_depend_on_how_bytes_arrive() {
    within_budget((requests(), vec(any::<Index>(), 0..6)), |(data, cuts)| {
        let whole = replay(&data, &LIMITS);
        prop_assert_eq!(&in_pieces(&data, &cuts), &whole);
        let mut bytewise = Replay::new(LIMITS);
        data.iter().for_each(|byte| bytewise.push(&[*byte]));
        let ending = bytewise.ending();
        prop_assert_eq!((bytewise.requests, ending), whole);
        Ok(())
    });
}

#[test]
fn what_is_accepted_is_strict() {
    within_budget(requests(), |data| {
        for request in replay(&data, &LIMITS).0 {
            prop_assert!(request.method.iter().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_lowercase()));
            prop_assert!(request.target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#'));
            let count = |name: &str| {
                request.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes())).count()
            };
            prop_assert!(count("content-length") + count("transfer-encoding") <= 1);
            prop_assert!(count("host") <= 1 && count("host") + usize::from(request.minor == 0) >= 1);
            for (name, value) in &request.headers {
                prop_assert!(crate::http::response::valid_field(name, value));
                prop_assert!(!value.starts_with(b" ") && !value.ends_with(b"\t"));
            }
        }
        Ok(())
    });
}

#[test]
fn chunks_come_back() {
    within_budget((vec(vec(any::<u8>(), 0..300), 0..6), vec(any::<Index>(), 0..8)), |(parts, cuts)| {
        let mut coded = Vec::new();
        parts.iter().for_each(|part| chunk(&mut coded, part));
        last_chunk(&mut coded);
        let length = coded.len();
        coded.extend_from_slice(b"rest");
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(coded.len() + 1)).chain([coded.len()]).collect();
        cuts.sort_unstable();
        let mut decoder = Decoder::new(&Framing::Chunked);
        let (mut body, mut start, mut done) = (Vec::new(), 0, false);
        for end in cuts {
            let decoded = decoder.decode(&coded[start..end], &mut |data| body.extend_from_slice(data)).unwrap();
            prop_assert!(decoded.done || decoded.consumed == end - start);
            start += decoded.consumed;
            done = decoded.done;
        }
        prop_assert!(done);
        prop_assert_eq!(start, length);
        prop_assert_eq!(body, parts.concat());
        Ok(())
    });
}

#[test]
fn arbitrary_chunks() {
    let coded = vec(prop_oneof![select(&PIECES[..]).prop_map(<[u8]>::to_vec), vec(any::<u8>(), 0..4)], 0..20);
    within_budget(coded, |pieces| {
        let coded = pieces.concat();
        let (mut whole, mut bytewise) = (Vec::new(), Vec::new());
        let all = Decoder::new(&Framing::Chunked).decode(&coded, &mut |data| whole.extend_from_slice(data));
        let mut decoder = Decoder::new(&Framing::Chunked);
        let each = coded.iter().try_for_each(|byte| {
            let decoded = decoder.decode(&[*byte], &mut |data| bytewise.extend_from_slice(data));
            decoded.map_err(Some).and_then(|decoded| if decoded.done { Err(None) } else { Ok(()) })
        });
        match (all, each) {
            (Ok(all), each) => prop_assert_eq!(each, if all.done { Err(None) } else { Ok(()) }),
            (Err(refusal), each) => prop_assert_eq!(each, Err(Some(refusal))),
        }
        prop_assert_eq!(whole, bytewise);
        Ok(())
    });
}

#[test]
fn responses_hold_what_was_given() {
    let bytes = || prop_oneof![5 => "[ -~\t]{0,20}".prop_map(String::into_bytes), 1 => vec(any::<u8>(), 0..10)];
    let name = prop_oneof![9 => "[A-Za-z-]{1,18}".prop_map(String::into_bytes), 1 => bytes()];
    let length =
        prop_oneof![any::<u64>().prop_map(BodyLength::Known), Just(BodyLength::Chunked), Just(BodyLength::UntilClose)];
    let head = (vec((name, bytes()), 0..8), 90..610u16, 0..2u8, length, any::<bool>(), any::<bool>());
    within_budget(head, |(fields, status, minor, length, keep_alive, to_head)| {
        let mut out = b"before".to_vec();
        let mut rendering = Rendering::begin(&mut out, minor, status).to_head(to_head);
        for (name, value) in &fields {
            let _ = rendering.field(name, value);
        }
        let Ok(sent) = rendering.end(length, keep_alive, DATE) else {
            prop_assert_eq!(out, b"before");
            return Ok(());
        };
        let mut room = [httparse::EMPTY_HEADER; 16];
        let mut response = httparse::Response::new(&mut room);
        let head = &out[b"before".len()..];
        prop_assert_eq!(response.parse(head), Ok(httparse::Status::Complete(head.len())));
        prop_assert_eq!(response.code, Some(status));
        // Every line is one that was given, or one of the engine's own.
        let own: [&[u8]; 4] = [b"date", b"content-length", b"transfer-encoding", b"connection"];
        for header in response.headers.iter() {
            let given = fields
                .iter()
                .any(|(name, value)| name == header.name.as_bytes() && value.trim_ascii() == header.value.trim_ascii());
            prop_assert!(given || own.contains(&&*header.name.to_ascii_lowercase().into_bytes()));
        }
        let has = |name: &str| response.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name));
        prop_assert_eq!(has("transfer-encoding"), sent.body == Body::Chunked);
        prop_assert!(!matches!(sent.body, Body::Length(_)) || has("content-length"));
        prop_assert!(sent.body != Body::UntilClose || !sent.keep_alive);
        prop_assert!(!sent.keep_alive || keep_alive);
        Ok(())
    });
}
