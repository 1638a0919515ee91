use super::*;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::fd::AsFd;
use std::time::Duration;

fn metrics() -> Metrics {
    Metrics::new(None, "/health").unwrap()
}

fn render(metrics: &Metrics) -> String {
    metrics.totals().render(Form::Text)
}

/// A strict reader of the text format: families by HELP and TYPE, samples by name and labels.
fn parse(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with('\n'));
    let (mut family, mut kind, mut samples) = (String::new(), String::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, text) = help.split_once(' ').unwrap();
            assert!(text.len() > 5, "{line}");
            family = name.into();
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
    let mut metrics = metrics();
    let slot = metrics.route("GET", "/items/{id}");
    for micros in [0, 250, 251, 1_000, 9_000_000, 10_000_000, 10_000_001, 60_000_000] {
        metrics.record(slot, 200, micros);
    }
    metrics.record(slot, 503, 1);
    metrics.record(NONE, 404, 1);
    let samples = parse(&render(&metrics));
    let labels = "method=\"GET\",route=\"/items/{id}\",status=\"2xx\"";
    let bucket = |le: &str| samples[&format!("rivet_request_seconds_bucket{{{labels},le=\"{le}\"}}")];
    assert_eq!(["0.00025", "0.0005", "0.001", "2.5", "10.0", "+Inf"].map(bucket), [2.0, 3.0, 4.0, 4.0, 6.0, 8.0]);
    assert_eq!(samples[&format!("rivet_request_seconds_count{{{labels}}}")], 8.0);
    assert_eq!(samples[&format!("rivet_request_seconds_sum{{{labels}}}")], 89.001_502);
    assert_eq!(samples["rivet_request_seconds_count{method=\"GET\",route=\"/items/{id}\",status=\"5xx\"}"], 1.0);
    assert_eq!(samples["rivet_request_seconds_count{method=\"\",route=\"\",status=\"4xx\"}"], 1.0);
    let requests = samples.keys().filter(|key| key.starts_with("rivet_request_seconds_count"));
    assert_eq!(requests.count(), 3, "what never happened is left out");
    assert_eq!(metrics.requests(), 10);
}

#[test]
fn gauges_and_counters() {
    let metrics = metrics();
    metrics.set(Gauge::Connections, 7);
    metrics.set(Gauge::InFlight, 3);
    metrics.add(Counter::Accepted, 2);
    metrics.add(Counter::Accepted, 3);
    metrics.add(Counter::MessagesOut, 9);
    metrics.add(Counter::RefusedInvalid, 1);
    metrics.copy(Counter::LogDropped, 4);
    metrics.pool().waited(2_000);
    metrics.pool().refused();
    let samples = parse(&render(&metrics));
    for (name, value) in [
        ("rivet_connections", 7.0),
        ("rivet_requests_in_flight", 3.0),
        ("rivet_websockets", 0.0),
        ("rivet_accepted_connections_total", 5.0),
        ("rivet_websocket_sent_total", 9.0),
        ("rivet_refused_total{reason=\"invalid\"}", 1.0),
        ("rivet_refused_total{reason=\"threads\"}", 1.0),
        ("rivet_access_log_dropped_total", 4.0),
        ("rivet_queue_seconds_count", 1.0),
        ("rivet_queue_seconds_sum", 0.002),
        ("rivet_gil_wait_seconds_count", 0.0),
    ] {
        assert_eq!(samples[name], value, "{name}");
    }
}

#[test]
fn unrouted_requests_are_told_apart_by_method() {
    let metrics = metrics();
    for (method, _) in METHODS {
        metrics.record(unrouted(method), 404, 1);
    }
    metrics.record(HEALTH, 200, 1);
    let samples = parse(&render(&metrics));
    for (_, name) in METHODS {
        let key = format!("rivet_request_seconds_count{{method=\"{name}\",route=\"\",status=\"4xx\"}}");
        assert_eq!(samples[&key], 1.0, "{name}");
    }
    assert_eq!(samples["rivet_request_seconds_count{method=\"GET\",route=\"/health\",status=\"2xx\"}"], 1.0);
}

#[test]
fn routes_that_show_late_have_one_slot_for_each_method() {
    let mut metrics = metrics();
    let slots = [Method::Get, Method::Post, Method::Get].map(|method| metrics.late_route(method, "/admin/"));
    assert_eq!((slots[0], metrics.pattern(slots[1])), (slots[2], "/admin/"));
    assert_ne!(slots[0], slots[1]);
}

#[test]
fn a_late_route_that_finds_no_room_is_not_tried_again() {
    let mut metrics = metrics();
    while metrics.route("GET", &"/full".repeat(40)) != NONE {}
    let pattern = "/late".repeat(40);
    assert_eq!(metrics.late_route(Method::Get, &pattern), NONE);
    assert_eq!(metrics.late[pattern.as_str()][Method::Get as usize], Some(NONE), "it is known");
    assert_eq!(metrics.late_route(Method::Get, &pattern), NONE);
}

#[test]
fn pages_of_several_processes_add_up_and_gauges_end_with_theirs() {
    let (one, two) = (Page::make().unwrap(), Page::make().unwrap());
    let mut first = Metrics::new(Some(one.as_fd()), "/health").unwrap();
    let mut second = Metrics::new(Some(two.as_fd()), "/health").unwrap();
    // Another order, as after a change of the code.
    first.route("GET", "/old");
    let (slot, other) = (first.route("GET", "/both"), second.route("GET", "/both"));
    first.record(slot, 200, 100);
    second.record(other, 200, 100);
    first.set(Gauge::Connections, 3);
    second.set(Gauge::Connections, 4);
    let exporter = serve::Exporter::default();
    exporter.began("1", 4_000_001, Some(one.as_fd())).unwrap();
    exporter.began("2", 4_000_002, Some(two.as_fd())).unwrap();
    drop((first, one));
    let both = "rivet_request_seconds_count{method=\"GET\",route=\"/both\",status=\"2xx\"}";
    let samples = parse(&exporter.render(Form::Text));
    assert_eq!((samples[both], samples["rivet_connections"]), (2.0, 7.0));
    exporter.ended(4_000_001, 1.5);
    let samples = parse(&exporter.render(Form::Text));
    assert_eq!((samples[both], samples["rivet_connections"]), (2.0, 4.0));
    assert_eq!(samples["process_cpu_seconds_total{worker=\"1\"}"], 1.5);
    assert!(exporter.render(Form::OpenMetrics).ends_with("# EOF\n"));
}

#[test]
fn a_page_of_rubbish_is_read_without_harm() {
    let fd = Page::make().unwrap();
    let page = Page::shared(fd.as_fd()).unwrap();
    for (at, value) in [u64::MAX, 3, u64::MAX, u64::MAX, 1, 2, 3].into_iter().enumerate() {
        page.words()[at].store(value, Relaxed);
    }
    let mut totals = Totals::default();
    totals.add(&page, true);
    assert_eq!(totals.render(Form::Text), "");
    assert!(Page::shared(std::fs::File::open("/dev/null").unwrap().as_fd()).is_err());
}

#[test]
fn nothing_is_out_of_range() {
    let mut metrics = metrics();
    for (slot, status) in [(999, 200), (NONE, 0), (NONE, 99), (NONE, 600), (u16::MAX, u16::MAX)] {
        metrics.record(slot, status, u64::MAX);
    }
    assert_eq!(metrics.requests(), 0);
    let slots: Vec<u16> = (0..10_000).map(|_| metrics.route("GET", &"/é".repeat(500))).collect();
    assert_eq!((slots[0], slots[9_999]), (HEALTH + 1, NONE));
    assert!(metrics.pattern(slots[0]).len() <= LONGEST);
    metrics.record(slots[9_999], 200, 1);
    assert_eq!(metrics.requests(), 1, "it shares a slot");
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
    let mut metrics = metrics();
    let slot = metrics.route("GET", "/");
    let rounds = 10_000_000_u64;
    let start = thread_time();
    for round in 0..rounds {
        metrics.record(slot, 200, round & 0xffff);
    }
    let each = (thread_time() - start).as_nanos() as f64 / rounds as f64;
    writeln!(std::io::stdout(), "metrics: {each:.1} ns a record, {} records", metrics.requests()).unwrap();
}
