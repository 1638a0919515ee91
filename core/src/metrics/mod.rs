//! What one process counts. Only its I/O thread writes, unless told otherwise; anybody may read.

pub mod page;
pub mod serve;
mod system;
mod totals;

use std::collections::HashMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use self::page::{Kind, Page, Series};
pub use self::totals::{Form, Totals};
use crate::http::Method;

/// Upper bounds of the histograms in microseconds: from a cached answer to a report that takes its time.
const BOUNDS: [u64; 14] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000,
];
/// Words of a histogram: its buckets, the last without an upper bound, and the sum of microseconds.
const HISTOGRAM: usize = BOUNDS.len() + 2;
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// A longer pattern is cut: who writes one does not read it in a graph.
const LONGEST: usize = 200;

/// The slot of requests whose head could not be read, and of all that find no room of their own.
pub const NONE: u16 = 0;
/// Those that no route took, by method: these slots follow one another in the order of `Method`.
const METHODS: [(Method, &str); 10] = [
    (Method::Get, "GET"),
    (Method::Head, "HEAD"),
    (Method::Post, "POST"),
    (Method::Put, "PUT"),
    (Method::Patch, "PATCH"),
    (Method::Delete, "DELETE"),
    (Method::Options, "OPTIONS"),
    (Method::Connect, "CONNECT"),
    (Method::Trace, "TRACE"),
    (Method::Other, "OTHER"),
];

/// The slot of the health path.
pub const HEALTH: u16 = 1 + METHODS.len() as u16;

/// The slot of a request that no route has taken yet.
#[inline]
pub fn unrouted(method: Method) -> u16 {
    1 + method as u16
}

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
    RefusedConnections,
    RefusedRequests,
    RefusedThreads,
    RefusedMessages,
    RefusedInvalid,
    TimeoutsRead,
    TimeoutsWrite,
    /// Connections that the client cut before its answer was complete.
    Aborted,
    BytesIn,
    BytesOut,
    MessagesIn,
    MessagesOut,
    LogDropped,
}

/// Durations that belong to no route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Time {
    Queue,
    Gil,
}

type Named = (&'static str, &'static str, &'static str);

const GAUGES: [Named; 3] = [
    ("rivet_connections", "", "Open connections."),
    ("rivet_requests_in_flight", "", "Requests that wait for a thread or are being answered."),
    ("rivet_websockets", "", "Open WebSockets."),
];
const REFUSED: &str = "Connections and requests turned away before their handler, by what was full or wrong.";
const TIMEOUTS: &str = "Connections closed because the client was too slow, by what it should have done.";
const COUNTERS: [Named; 14] = [
    ("rivet_accepted_connections_total", "", "Accepted connections."),
    ("rivet_refused_total", "reason=\"connections\"", REFUSED),
    ("rivet_refused_total", "reason=\"requests\"", ""),
    ("rivet_refused_total", "reason=\"threads\"", ""),
    ("rivet_refused_total", "reason=\"messages\"", ""),
    ("rivet_refused_total", "reason=\"invalid\"", ""),
    ("rivet_timeouts_total", "direction=\"read\"", TIMEOUTS),
    ("rivet_timeouts_total", "direction=\"write\"", ""),
    ("rivet_aborted_total", "", "Requests whose client left before the answer was complete."),
    ("rivet_received_bytes_total", "", "Bytes read from sockets."),
    ("rivet_sent_bytes_total", "", "Bytes of answers and WebSocket messages, heads included."),
    ("rivet_websocket_received_total", "", "WebSocket messages received."),
    ("rivet_websocket_sent_total", "", "WebSocket messages sent."),
    ("rivet_access_log_dropped_total", "", "Lines of the access log that were lost because nobody took them."),
];
const TIMES: [Named; 2] = [
    ("rivet_queue_seconds", "", "How long blocking code waited for a thread of the pool."),
    ("rivet_gil_wait_seconds", "", "How long the I/O thread waited for Python's lock after it was woken."),
];
const REQUESTS: &str = "rivet_request_seconds";
const REQUESTS_HELP: &str = "From a request's head to the end of its answer.";

pub struct Metrics {
    page: Arc<Page>,
    gauges: [usize; GAUGES.len()],
    counters: [usize; COUNTERS.len()],
    times: [usize; TIMES.len()],
    /// Where the numbers of each slot begin.
    slots: Vec<usize>,
    patterns: Vec<Box<str>>,
    /// The slots of late routes, by method: `NONE` of those that found no room.
    late: HashMap<Box<str>, [Option<u16>; METHODS.len()]>,
}

impl Metrics {
    /// In a page that others read, or in one of its own.
    ///
    /// # Errors
    /// The system's, and for a descriptor that is no page.
    pub fn new(shared: Option<BorrowedFd<'_>>, health: &str) -> io::Result<Self> {
        let page = Arc::new(shared.map_or_else(Page::private, Page::shared)?);
        let all = |kind, count| move |(name, labels, help): Named| (Series { kind, name, labels, help }, count);
        let add = |(series, count): (Series<'_>, usize)| page.add(&series, count).unwrap_or_default();
        let mut made = Self {
            gauges: GAUGES.map(all(Kind::Gauge, 1)).map(add),
            counters: COUNTERS.map(all(Kind::Counter, 1)).map(add),
            times: TIMES.map(all(Kind::Histogram, HISTOGRAM)).map(add),
            slots: Vec::new(),
            patterns: Vec::new(),
            late: HashMap::new(),
            page,
        };
        made.route("", "");
        for (_, name) in METHODS {
            made.route(name, "");
        }
        made.route("GET", health);
        Ok(made)
    }

    /// Makes the slot of a route. Those that find no room share one.
    pub fn route(&mut self, method: &str, pattern: &str) -> u16 {
        let Ok(slot) = u16::try_from(self.slots.len()) else { return NONE };
        let pattern = pattern.get(..pattern.floor_char_boundary(LONGEST)).unwrap_or_default();
        let labels = format!("method=\"{}\",route=\"{}\"", label(method), label(pattern));
        let help = if self.slots.is_empty() { REQUESTS_HELP } else { "" };
        let series = Series { kind: Kind::Statuses, name: REQUESTS, labels: &labels, help };
        let Some(numbers) = self.page.add(&series, CLASSES.len() * HISTOGRAM) else { return NONE };
        self.slots.push(numbers);
        self.patterns.push(pattern.into());
        slot
    }

    /// The slot of a route that shows with its first request: one of Django's.
    pub fn late_route(&mut self, method: Method, pattern: &str) -> u16 {
        let at = method as usize;
        if let Some(&Some(slot)) = self.late.get(pattern).and_then(|slots| slots.get(at)) {
            return slot;
        }
        let slot = self.route(METHODS.get(at).map_or("OTHER", |(_, name)| name), pattern);
        if let Some(known) = self.late.entry(pattern.into()).or_default().get_mut(at) {
            *known = Some(slot);
        }
        slot
    }

    /// The route of a slot; empty when none took its requests.
    pub fn pattern(&self, slot: u16) -> &str {
        self.patterns.get(usize::from(slot)).map_or("", |pattern| &**pattern)
    }

    /// Counts one answered request.
    #[inline]
    pub fn record(&self, slot: u16, status: u16, micros: u64) {
        let class = usize::from(status / 100).wrapping_sub(1);
        if let (Some(&numbers), true) = (self.slots.get(usize::from(slot)), class < CLASSES.len()) {
            let at = numbers + class * HISTOGRAM;
            self.grow(at + bucket(micros), 1);
            self.grow(at + BOUNDS.len() + 1, micros);
        }
    }

    pub fn add(&self, counter: Counter, amount: u64) {
        self.grow(self.counters[counter as usize], amount);
    }

    /// For a counter that is kept elsewhere.
    pub fn copy(&self, counter: Counter, value: u64) {
        self.store(self.counters[counter as usize], value);
    }

    pub fn set(&self, gauge: Gauge, value: u64) {
        self.store(self.gauges[gauge as usize], value);
    }

    pub fn time(&self, time: Time, micros: u64) {
        let at = self.times[time as usize];
        self.grow(at + bucket(micros), 1);
        self.grow(at + BOUNDS.len() + 1, micros);
    }

    /// For the threads of the pool.
    pub fn pool(&self) -> PoolMeter {
        let page = Arc::clone(&self.page);
        PoolMeter {
            page,
            queue: self.times[Time::Queue as usize],
            refused: self.counters[Counter::RefusedThreads as usize],
        }
    }

    /// Answered requests of all routes.
    pub fn requests(&self) -> u64 {
        let words = self.page.words();
        let histograms = self.slots.iter().filter_map(|&at| words.get(at..at + CLASSES.len() * HISTOGRAM));
        let buckets =
            histograms.flat_map(|all| all.chunks(HISTOGRAM)).flat_map(|one| one.iter().take(BOUNDS.len() + 1));
        buckets.map(|bucket| bucket.load(Relaxed)).sum()
    }

    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        totals.add(&self.page, true);
        totals
    }

    /// Not `fetch_add`, which locks: no other thread writes here.
    #[inline]
    fn grow(&self, at: usize, amount: u64) {
        if let Some(word) = self.page.words().get(at) {
            word.store(word.load(Relaxed).wrapping_add(amount), Relaxed);
        }
    }

    fn store(&self, at: usize, value: u64) {
        if let Some(word) = self.page.words().get(at) {
            word.store(value, Relaxed);
        }
    }
}

/// Counts on any thread.
pub struct PoolMeter {
    page: Arc<Page>,
    queue: usize,
    refused: usize,
}

impl PoolMeter {
    /// Blocking code has waited so long for a thread.
    pub fn waited(&self, micros: u64) {
        self.grow(self.queue + bucket(micros), 1);
        self.grow(self.queue + BOUNDS.len() + 1, micros);
    }

    /// There was no thread in time.
    pub fn refused(&self) {
        self.grow(self.refused, 1);
    }

    fn grow(&self, at: usize, amount: u64) {
        if let Some(word) = self.page.words().get(at) {
            word.fetch_add(amount, Relaxed);
        }
    }
}

/// No early exit: 14 compares without a branch are quicker than a search that mispredicts.
#[inline]
fn bucket(micros: u64) -> usize {
    BOUNDS.iter().map(|&bound| usize::from(micros > bound)).sum()
}

/// <https://prometheus.io/docs/instrumenting/exposition_formats/#comments-help-text-and-type-information>
pub fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
pub(crate) mod tests;
