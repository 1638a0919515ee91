//! Counters of one process, and their Prometheus text. Atomics only, so that any thread may count and, later, processes may share them.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Upper bounds of the histogram in microseconds: from a cached answer to a report that takes its time.
const BOUNDS: [u64; 14] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000,
];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The slot of requests that no registered route took: a broken head, a full server, an unknown path.
pub const OTHER: u16 = 0;

/// Values that go up and down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gauge {
    Connections,
    InFlight,
    Websockets,
}

/// Values that only grow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counter {
    Accepted,
    /// Requests and connections turned away because a bound was reached.
    Refused,
    Timeouts,
    /// Connections that the client cut before its answer was complete.
    Aborted,
    BytesIn,
    BytesOut,
    MessagesIn,
    MessagesOut,
}

const GAUGES: [(&str, &str); 3] = [
    ("rivet_connections", "Open connections."),
    ("rivet_requests_in_flight", "Requests that are being answered."),
    ("rivet_websockets", "Open WebSockets."),
];
const COUNTERS: [(&str, &str); 8] = [
    ("rivet_connections_total", "Accepted connections."),
    ("rivet_refused_total", "Requests and connections turned away because a bound was reached."),
    ("rivet_timeouts_total", "Connections closed because the peer was too slow."),
    ("rivet_aborted_total", "Connections that the client cut before its answer was complete."),
    ("rivet_received_bytes_total", "Bytes read from sockets."),
    ("rivet_sent_bytes_total", "Bytes written to sockets."),
    ("rivet_websocket_received_total", "WebSocket messages received."),
    ("rivet_websocket_sent_total", "WebSocket messages sent."),
];

/// Durations of one route and status class; the last bucket has no upper bound. Buckets are cumulative only in the text.
#[repr(C)]
#[derive(Default)]
struct Histogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

#[derive(Default)]
struct Route {
    /// `method="GET",route="/x"`, escaped.
    labels: String,
    classes: [Histogram; CLASSES.len()],
}

pub struct Metrics {
    gauges: [AtomicU64; GAUGES.len()],
    counters: [AtomicU64; COUNTERS.len()],
    routes: Vec<Route>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    pub fn new() -> Self {
        let mut made = Self { gauges: Default::default(), counters: Default::default(), routes: Vec::new() };
        made.route("", "");
        made
    }

    /// Makes the slot of a route, before requests are served; past 65,535 routes they share `OTHER`.
    pub fn route(&mut self, method: &str, pattern: &str) -> u16 {
        let Ok(slot) = u16::try_from(self.routes.len()) else { return OTHER };
        let labels = format!("method=\"{}\",route=\"{}\"", label(method), label(pattern));
        self.routes.push(Route { labels, ..Route::default() });
        slot
    }

    /// Counts one answered request.
    #[inline]
    pub fn record(&self, slot: u16, status: u16, micros: u64) {
        let class = usize::from(status / 100).wrapping_sub(1);
        let Some(histogram) = self.routes.get(usize::from(slot)).and_then(|route| route.classes.get(class)) else {
            return;
        };
        // No early exit: 14 compares without a branch are quicker than a search that mispredicts.
        let bucket = BOUNDS.iter().map(|&bound| usize::from(micros > bound)).sum::<usize>();
        if let Some(bucket) = histogram.buckets.get(bucket) {
            bucket.fetch_add(1, Relaxed);
        }
        histogram.micros.fetch_add(micros, Relaxed);
    }

    pub fn add(&self, counter: Counter, amount: u64) {
        self.counters[counter as usize].fetch_add(amount, Relaxed);
    }

    pub fn set(&self, gauge: Gauge, value: u64) {
        self.gauges[gauge as usize].store(value, Relaxed);
    }

    pub fn counter(&self, counter: Counter) -> u64 {
        self.counters[counter as usize].load(Relaxed)
    }

    pub fn gauge(&self, gauge: Gauge) -> u64 {
        self.gauges[gauge as usize].load(Relaxed)
    }

    /// Answered requests of all routes.
    pub fn requests(&self) -> u64 {
        let histograms = self.routes.iter().flat_map(|route| &route.classes);
        histograms.flat_map(|histogram| &histogram.buckets).map(|bucket| bucket.load(Relaxed)).sum()
    }

    /// <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>. Routes and classes that never answered are left out.
    pub fn render(&self) -> String {
        let mut out = String::with_capacity(4096);
        // Writing into a String cannot fail.
        let _ = self.text(&mut out);
        out
    }

    fn text(&self, out: &mut String) -> fmt::Result {
        for ((name, help), value) in GAUGES.iter().zip(&self.gauges) {
            writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {}", value.load(Relaxed))?;
        }
        for ((name, help), value) in COUNTERS.iter().zip(&self.counters) {
            writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {}", value.load(Relaxed))?;
        }
        let name = "rivet_request_seconds";
        writeln!(out, "# HELP {name} Time from a request's head to the end of its answer.\n# TYPE {name} histogram")?;
        for route in &self.routes {
            for (class, histogram) in CLASSES.iter().zip(&route.classes) {
                histogram.text(out, name, &format!("{},status=\"{class}\"", route.labels))?;
            }
        }
        Ok(())
    }
}

impl Histogram {
    fn text(&self, out: &mut String, name: &str, labels: &str) -> fmt::Result {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        if total == 0 {
            return Ok(());
        }
        let mut below = 0;
        for (count, bound) in counts.iter().zip(BOUNDS) {
            below += count;
            writeln!(out, "{name}_bucket{{{labels},le=\"{}\"}} {below}", bound as f64 / 1e6)?;
        }
        writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {total}")?;
        writeln!(out, "{name}_sum{{{labels}}} {}", self.micros.load(Relaxed) as f64 / 1e6)?;
        writeln!(out, "{name}_count{{{labels}}} {total}")
    }
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
pub(crate) mod tests;
