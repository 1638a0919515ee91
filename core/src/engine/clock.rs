//! Time, read once where it is needed often.

use std::cell::Cell;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::http::http_date;

pub struct Clock {
    start: Instant,
    /// Milliseconds since the start, as of this turn.
    now: Cell<u64>,
    unix: Cell<u64>,
    date: Cell<[u8; 29]>,
}

impl Default for Clock {
    fn default() -> Self {
        let clock =
            Self { start: Instant::now(), now: Cell::new(0), unix: Cell::new(0), date: Cell::new(http_date(0)) };
        clock.tick();
        clock
    }
}

impl Clock {
    pub fn tick(&self) -> u64 {
        self.tick_at(Instant::now())
    }

    /// At the start of a turn, which is now.
    pub fn tick_at(&self, at: Instant) -> u64 {
        let now = at.duration_since(self.start).as_millis() as u64;
        self.now.set(now);
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        if unix / 1000 != self.unix.get() / 1000 {
            self.date.set(http_date(unix / 1000));
        }
        self.unix.set(unix);
        now
    }

    pub fn now(&self) -> u64 {
        self.now.get()
    }

    /// Milliseconds since 1970, as of this turn.
    pub fn unix_ms(&self) -> u64 {
        self.unix.get()
    }

    /// The Date field's value (RFC 9110 6.6.1).
    pub fn date(&self) -> [u8; 29] {
        self.date.get()
    }

    /// Microseconds since the start, now.
    pub fn micros(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }
}
