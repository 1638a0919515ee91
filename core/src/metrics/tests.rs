use super::*;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

/// A strict reader of the text format: families by HELP and TYPE, samples by name and labels.
fn parse(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with('\n'));
    let (mut family, mut kind, mut samples) = (String::new(), String::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split_once(' ').unwrap().0.into();
        } else if let Some(text) = line.strip_prefix("# TYPE ") {
            let (name, named) = text.split_once(' ').unwrap();
            assert_eq!(name, family);
            kind = named.into();
        } else {
            let (key, value) = line.rsplit_once(' ').unwrap();
            let name = key.split('{').next().unwrap();
            let suffix = name.strip_prefix(&family).unwrap();
            match kind.as_str() {
                "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{line}"),
                "counter" => assert!(name.ends_with("_total") && suffix.is_empty(), "{line}"),
                _ => assert_eq!((kind.as_str(), suffix), ("gauge", "")),
            }
            assert!(samples.insert(key.into(), value.parse().unwrap()).is_none(), "twice: {line}");
        }
    }
    samples
}

#[test]
fn a_histogram_adds_up() {
    let mut metrics = Metrics::new();
    let slot = metrics.route("GET", "/items/{id}");
    for micros in [0, 250, 251, 1_000, 9_000_000, 10_000_000, 10_000_001, 60_000_000] {
        metrics.record(slot, 200, micros);
    }
    metrics.record(slot, 503, 1);
    metrics.record(OTHER, 404, 1);
    let samples = parse(&metrics.render());
    let labels = "method=\"GET\",route=\"/items/{id}\",status=\"2xx\"";
    let bucket = |le: &str| samples[&format!("rivet_request_seconds_bucket{{{labels},le=\"{le}\"}}")];
    assert_eq!(["0.00025", "0.0005", "0.001", "2.5", "10", "+Inf"].map(bucket), [2.0, 3.0, 4.0, 4.0, 6.0, 8.0]);
    assert_eq!(samples[&format!("rivet_request_seconds_count{{{labels}}}")], 8.0);
    assert_eq!(samples[&format!("rivet_request_seconds_sum{{{labels}}}")], 89.001_502);
    assert_eq!(samples["rivet_request_seconds_count{method=\"GET\",route=\"/items/{id}\",status=\"5xx\"}"], 1.0);
    assert_eq!(samples["rivet_request_seconds_count{method=\"\",route=\"\",status=\"4xx\"}"], 1.0);
    assert_eq!(samples.keys().filter(|key| key.contains("_count")).count(), 3, "what never happened is left out");
    assert_eq!(metrics.requests(), 10);
}

#[test]
fn gauges_and_counters() {
    let metrics = Metrics::new();
    metrics.set(Gauge::Connections, 7);
    metrics.set(Gauge::InFlight, 3);
    metrics.add(Counter::Accepted, 2);
    metrics.add(Counter::Accepted, 3);
    metrics.add(Counter::MessagesOut, 9);
    let samples = parse(&metrics.render());
    for (name, value) in [
        ("rivet_connections", 7.0),
        ("rivet_requests_in_flight", 3.0),
        ("rivet_websockets", 0.0),
        ("rivet_connections_total", 5.0),
        ("rivet_websocket_sent_total", 9.0),
    ] {
        assert_eq!(samples[name], value, "{name}");
    }
    assert_eq!((metrics.gauge(Gauge::InFlight), metrics.counter(Counter::Accepted)), (3, 5));
}

#[test]
fn nothing_is_out_of_range() {
    let mut metrics = Metrics::new();
    for (slot, status) in [(9, 200), (OTHER, 0), (OTHER, 99), (OTHER, 600), (u16::MAX, u16::MAX)] {
        metrics.record(slot, status, u64::MAX);
    }
    assert_eq!(metrics.requests(), 0);
    let slots: Vec<u16> = (0..70_000).map(|_| metrics.route("GET", "/")).collect();
    assert_eq!((slots[0], slots[65_534], slots[65_535]), (1, u16::MAX, OTHER));
}

#[test]
fn labels_are_escaped() {
    assert_eq!(label("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
}

/// CPU time of this thread: what a measurement reads, as the machine may be busy with other things.
pub fn thread_time() -> Duration {
    Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime)).unwrap()
}

/// `cargo test --release -- --ignored --nocapture nanoseconds`
#[test]
#[ignore = "a measurement"]
fn nanoseconds() {
    let mut metrics = Metrics::new();
    let slot = metrics.route("GET", "/");
    let rounds = 10_000_000_u64;
    let start = thread_time();
    for round in 0..rounds {
        metrics.record(slot, 200, round & 0xffff);
    }
    let each = (thread_time() - start).as_nanos() as f64 / rounds as f64;
    writeln!(std::io::stdout(), "metrics: {each:.1} ns a record, {} records", metrics.requests()).unwrap();
}
