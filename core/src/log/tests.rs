use std::fs::File;
use std::io::{PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::metrics::tests::thread_time;

const LONG: Duration = Duration::from_secs(20);

fn record() -> Record<'static> {
    Record {
        unix_ms: 784_111_777_042,
        client: b"192.0.2.1",
        method: b"GET",
        target: b"/a/b?token=secret",
        minor: 1,
        status: 200,
        bytes: 1234,
        received: 321,
        micros: 1_002_003,
        first: 2_003,
        queued: 1_003,
        number: (1, 2),
        id: b"77ab",
        referer: b"https://example.org/x?code=secret",
        agent: b"curl/8",
        route: b"/a/{name}",
    }
}

fn line(format: Format, record: &Record) -> String {
    let mut out = Vec::new();
    Lines::new(format).write(&mut out, record);
    String::from_utf8(out).unwrap()
}

#[test]
fn json_line() {
    assert_eq!(
        line(Format::Json, &record()),
        "{\"time\":\"1994-11-06T08:49:37.042Z\",\"request_id\":\"77ab\",\"client\":\"192.0.2.1\",\"method\":\"GET\",\
         \"path\":\"/a/b\",\"protocol\":\"HTTP/1.1\",\"status\":200,\"bytes_out\":1234,\"bytes_in\":321,\
         \"seconds\":1.002003,\"first_byte_seconds\":0.002003,\"queue_seconds\":0.001003,\"route\":\"/a/{name}\",\
         \"referer\":\"https://example.org/x\",\"user_agent\":\"curl/8\"}\n"
    );
}

#[test]
fn combined_line() {
    assert_eq!(
        line(Format::Combined, &record()),
        "192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] \"GET /a/b HTTP/1.1\" 200 1234 \"https://example.org/x\" \"curl/8\"\n"
    );
    assert_eq!(
        line(Format::Combined, &Record { minor: 0, status: 400, ..Record::default() }),
        "- - - [01/Jan/1970:00:00:00 +0000] \"-\" 400 0 \"-\" \"-\"\n"
    );
}

#[test]
fn a_head_that_could_not_be_read() {
    let value: Value = serde_json::from_str(&line(Format::Json, &Record { status: 400, ..Record::default() })).unwrap();
    assert_eq!((&value["protocol"], &value["status"]), (&Value::from(""), &Value::from(400)));
}

#[test]
fn a_request_without_an_id_gets_the_number_of_its_process() {
    let value: Value = serde_json::from_str(&line(Format::Json, &Record { id: b"", ..record() })).unwrap();
    assert_eq!(value["request_id"], "00000000000000010000000000000002");
}

#[test]
fn time_goes_on() {
    let mut lines = Lines::new(Format::Json);
    for (ms, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (999, "1970-01-01T00:00:00.999Z"),
        (1000, "1970-01-01T00:00:01.000Z"),
        (1_709_210_096_005, "2024-02-29T12:34:56.005Z"),
        (u64::MAX, "9999-12-31T23:59:59.615Z"),
    ] {
        let mut out = Vec::new();
        lines.write(&mut out, &Record { unix_ms: ms, ..Record::default() });
        let value: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["time"], text);
    }
}

#[test]
fn escapes() {
    for (text, as_json, as_combined) in [
        (&b"a\"b"[..], "a\\\"b", "a\\x22b"),
        (b"a\\b", "a\\\\b", "a\\x5cb"),
        (b"a\r\nb", "a\\u000d\\u000ab", "a\\x0d\\x0ab"),
        (b"\x1b[2J\x7f", "\\u001b[2J\\u007f", "\\x1b[2J\\x7f"),
        ("é\u{85}😀".as_bytes(), "\\u00e9\\u0085\\ud83d\\ude00", "\\xc3\\xa9\\xc2\\x85\\xf0\\x9f\\x98\\x80"),
        (b"\xff\xc3", "\\ufffd\\ufffd", "\\xff\\xc3"),
    ] {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        json(&mut one, text);
        combined(&mut two, text);
        assert_eq!(
            (String::from_utf8(one).unwrap().as_str(), String::from_utf8(two).unwrap().as_str()),
            (as_json, as_combined)
        );
    }
}

proptest! {
    #[test]
    fn whatever_a_peer_sends(target: Vec<u8>, referer: Vec<u8>, agent: Vec<u8>, method: Vec<u8>, id: Vec<u8>) {
        let record = Record { target: &target, referer: &referer, agent: &agent, method: &method, id: &id, ..record() };
        let json = line(Format::Json, &record);
        let value: Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(value["user_agent"].as_str().unwrap(), String::from_utf8_lossy(&agent));
        prop_assert_eq!(value["method"].as_str().unwrap(), String::from_utf8_lossy(&method));
        let combined = line(Format::Combined, &record);
        let mut frames = Vec::new();
        frame::put(&mut frames, &record);
        frame::put(&mut frames, &record);
        let mut again = String::new();
        frame::each(&frames, |record| again.push_str(&line(Format::Json, record)));
        prop_assert_eq!(again, json.repeat(2));
        prop_assert_eq!(combined.matches('"').count(), 6);
        for text in [json, combined] {
            prop_assert!(text.ends_with('\n') && text[..text.len() - 1].bytes().all(|byte| (0x20..0x7f).contains(&byte)));
        }
    }
}

fn pipe() -> (PipeReader, OwnedFd) {
    let (read, write) = std::io::pipe().unwrap();
    (read, write.into())
}

/// Records with a number each, and how many.
fn numbered(from: usize, to: usize) -> (Vec<u8>, u64) {
    let mut frames = Vec::new();
    for number in from..to {
        frame::put(&mut frames, &Record { target: number.to_string().as_bytes(), ..record() });
    }
    (frames, (to - from) as u64)
}

fn push(sink: &Sink, (mut frames, count): (Vec<u8>, u64)) {
    sink.push(&mut frames, count);
    assert!(frames.is_empty());
}

fn numbers(text: &str) -> Vec<usize> {
    let paths =
        text.lines().filter_map(|line| serde_json::from_str::<Value>(line).unwrap()["path"].as_str()?.parse().ok());
    paths.collect()
}

fn wait(what: &str, met: impl Fn() -> bool) {
    let start = Instant::now();
    while !met() {
        assert!(start.elapsed() < LONG, "{what}");
        std::thread::yield_now();
    }
}

fn reading(mut read: PipeReader) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut all = String::new();
        read.read_to_string(&mut all).unwrap();
        all
    })
}

#[test]
fn everything_pushed_is_written_in_order() {
    let (read, write) = pipe();
    let mut sink = Sink::start(write, 8 << 20, Format::Json).unwrap();
    let reader = reading(read);
    for turn in 0..500 {
        push(&sink, numbered(turn * 10, turn * 10 + 10));
    }
    assert!(sink.close(LONG));
    drop(sink);
    assert_eq!(numbers(&reader.join().unwrap()), (0..5000).collect::<Vec<_>>());
}

#[test]
fn a_slow_reader_costs_lines_not_time() {
    let (read, write) = pipe();
    let mut sink = Sink::start(write, 100_000, Format::Json).unwrap();
    let start = Instant::now();
    for turn in 0..500 {
        push(&sink, numbered(turn * 100, turn * 100 + 100));
    }
    assert!(start.elapsed() < LONG, "push waited for the reader");
    let lost = sink.dropped();
    assert!(lost > 0, "nothing was dropped though nobody read");
    let reader = reading(read);
    assert!(sink.close(LONG));
    let all = reader.join().unwrap();
    let written = numbers(&all);
    assert_eq!(written.len() as u64 + lost, 50_000);
    assert!(written.is_sorted(), "lines were mixed");
    let told = all.lines().filter_map(|line| {
        let value = serde_json::from_str::<Value>(line).unwrap();
        value["message"].as_str().map(|message| message.split(' ').nth(2).unwrap().parse::<u64>().unwrap())
    });
    assert_eq!(told.sum::<u64>(), lost);
}

#[test]
fn a_reader_that_has_gone_is_survived() {
    let (read, write) = pipe();
    drop(read);
    let mut sink = Sink::start(write, 1 << 20, Format::Json).unwrap();
    for _ in 0..3 {
        let before = sink.dropped();
        push(&sink, numbered(0, 10));
        wait("the lost lines are counted", || sink.dropped() == before + 10);
    }
    assert!(sink.close(LONG));
}

#[test]
fn closing_does_not_wait_for_a_reader_that_sleeps() {
    let (read, write) = pipe();
    let mut sink = Sink::start(write, 1 << 20, Format::Json).unwrap();
    push(&sink, numbered(0, 3_000));
    assert!(!sink.close(Duration::from_millis(50)));
    drop(read);
}

#[test]
fn a_non_blocking_pipe_loses_nothing() {
    let (read, write) = pipe();
    rustix::fs::fcntl_setfl(&write, rustix::fs::OFlags::NONBLOCK).unwrap();
    let mut sink = Sink::start(write, 8 << 20, Format::Json).unwrap();
    push(&sink, numbered(0, 20_000));
    let reader = reading(read);
    assert!(sink.close(LONG));
    assert_eq!(numbers(&reader.join().unwrap()), (0..20_000).collect::<Vec<_>>());
}

/// Two processes share a pipe: what pipe(7) takes at once is never mixed.
#[test]
fn lines_of_two_writers_are_not_mixed() {
    let (read, write) = pipe();
    let other = write.try_clone().unwrap();
    let mut sinks = [write, other].map(|end| Sink::start(end, 8 << 20, Format::Json).unwrap());
    for (sink, letter) in sinks.iter().zip(["a", "b"]) {
        let agent = letter.repeat(299);
        let mut frames = Vec::new();
        (0..5000).for_each(|_| frame::put(&mut frames, &Record { agent: agent.as_bytes(), ..record() }));
        sink.push(&mut frames, 5000);
    }
    let reader = reading(read);
    assert!(sinks.iter_mut().all(|sink| sink.close(LONG)));
    let all = reader.join().unwrap();
    let agents: Vec<String> = all
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["user_agent"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(agents.len(), 10_000);
    assert!(agents.iter().all(|agent| *agent == "a".repeat(299) || *agent == "b".repeat(299)));
}

#[test]
fn formats_by_name() {
    assert_eq!(Format::parse("off"), Ok(None));
    assert_eq!(Format::parse("json"), Ok(Some(Format::Json)));
    assert_eq!(Format::parse("combined"), Ok(Some(Format::Combined)));
    assert!(Format::parse("xml").unwrap_err().contains("combined"));
}

/// `cargo test --release -- --ignored --nocapture nanoseconds`
#[test]
#[ignore = "a measurement"]
fn nanoseconds() {
    let browser = Record {
        target: b"/api/items/42?page=3",
        agent: b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
        referer: b"https://example.org/items",
        ..record()
    };
    for format in [Format::Json, Format::Combined] {
        let mut lines = Lines::new(format);
        let (mut out, rounds) = (Vec::new(), 2_000_000_u64);
        let start = thread_time();
        for round in 0..rounds {
            lines.write(&mut out, &Record { unix_ms: round / 100, ..browser });
            if round % 8 == 7 {
                out.clear();
            }
        }
        let each = (thread_time() - start).as_nanos() as f64 / rounds as f64;
        writeln!(std::io::stdout(), "log {format:?}: {each:.0} ns a line").unwrap();
    }
    let (mut out, rounds) = (Vec::new(), 2_000_000_u64);
    let start = thread_time();
    for round in 0..rounds {
        frame::put(&mut out, &browser);
        if round % 8 == 7 {
            out.clear();
        }
    }
    let each = (thread_time() - start).as_nanos() as f64 / rounds as f64;
    writeln!(std::io::stdout(), "log: {each:.0} ns a record on the I/O thread").unwrap();
    let sink = Sink::start(File::create("/dev/null").unwrap().into(), 256 << 20, Format::Json).unwrap();
    let (mut out, mut all) = (Vec::new(), Duration::ZERO);
    for _ in 0..100_000 {
        for _ in 0..6 {
            frame::put(&mut out, &browser);
        }
        let start = thread_time();
        sink.push(&mut out, 6);
        all += thread_time() - start;
    }
    writeln!(std::io::stdout(), "log: {} ns a push of 6 records, two clock calls included", all.as_nanos() / 100_000)
        .unwrap();
}
