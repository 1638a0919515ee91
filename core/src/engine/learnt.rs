//! Where a blocking handler runs. It begins on the pool; when its calls there were short it is tried on the I/O thread,
//! which saves the hand-over, and goes back as soon as it proves slow or waits there. Each time it has to go back it
//! needs twice as many calls before the next try.
//!
//! Neither time nor waiting proves anything alone: the system takes the CPU away from anybody (in a container with a
//! limit for milliseconds), and so does another thread the GIL. So each adds to a blame that good calls take away again.

use rustix::time::{ClockId, clock_gettime};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// On the pool: CPU and wall time up to which a call is short.
const CPU: Duration = Duration::from_millis(1);
const WALL: Duration = Duration::from_millis(20);
/// On the I/O thread: how long a call may take.
const SLOW: Duration = Duration::from_millis(2);

/// Short calls in a row before the first try, and the most that can become of it.
const TRIALS: u32 = 8;
const MOST_TRIALS: u32 = 4_096;

/// Blame: of a slow call, of one that waited, at the beginning of a try, and the most that is borne.
const BLAME_SLOW: u32 = 50;
const BLAME_WAITED: u32 = 10;
const BLAME_TRIED: u32 = 45;
const BLAME_BORNE: u32 = 90;

/// What a call took of the CPU, and whether it waited, is asked of the system while there is blame, and else for each so
/// manieth call: it costs 0.4 us. So one long call alone is taken for slow, and the next is known to be.
const ASK: u32 = 64;

pub struct Learnt {
    inline: Cell<bool>,
    short: Cell<u32>,
    trials: Cell<u32>,
    blame: Cell<u32>,
    calls: Cell<u32>,
}

impl Default for Learnt {
    fn default() -> Self {
        Self {
            inline: Cell::new(false),
            short: Cell::new(0),
            trials: Cell::new(TRIALS),
            blame: Cell::new(0),
            calls: Cell::new(0),
        }
    }
}

/// A call on the I/O thread: when it began, and if that is asked, the thread's CPU time and how often it had waited.
pub struct Try {
    started: u64,
    before: Option<(Duration, u64)>,
}

/// What a call on the pool took.
#[derive(Clone, Copy)]
pub struct Took {
    pub wall: Duration,
    pub cpu: Duration,
}

/// Measures a call on the pool.
pub struct Stopwatch {
    wall: Instant,
    cpu: Duration,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self { wall: Instant::now(), cpu: thread_cpu() }
    }

    pub fn stop(&self) -> Took {
        Took { wall: self.wall.elapsed(), cpu: thread_cpu().saturating_sub(self.cpu) }
    }
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

/// How often this thread has waited for something: its voluntary context switches (getrusage(2), RUSAGE_THREAD).
fn waits() -> u64 {
    // SAFETY: all zeros are a valid rusage, and the call writes to nothing else.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        if libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) == 0 { usage.ru_nvcsw.cast_unsigned() } else { 0 }
    }
}

impl Learnt {
    pub fn inline(&self) -> bool {
        self.inline.get()
    }

    pub fn begin(&self, now: u64) -> Try {
        self.calls.set(self.calls.get().wrapping_add(1));
        let ask = self.blame.get() > 0 || self.calls.get().is_multiple_of(ASK);
        Try { started: now, before: ask.then(|| (thread_cpu(), waits())) }
    }

    pub fn end(&self, call: Try, now: u64) {
        let long = now.saturating_sub(call.started) > SLOW.as_micros() as u64;
        let waited = call.before.is_some_and(|(_, before)| waits() > before);
        // A long call that neither worked nor waited was held up by others: nginx on the same CPU, a container's limit.
        let held_up = || call.before.is_some_and(|(before, _)| thread_cpu().saturating_sub(before) <= SLOW);
        self.on_loop(long && (waited || !held_up()), waited);
    }

    fn on_loop(&self, slow: bool, waited: bool) {
        let blame = self.blame.get();
        self.blame.set(match (slow, waited) {
            (true, _) => blame + BLAME_SLOW,
            (false, true) => blame + BLAME_WAITED,
            (false, false) => blame.saturating_sub(1),
        });
        if self.blame.get() > BLAME_BORNE {
            self.inline.set(false);
            self.short.set(0);
            self.trials.set((self.trials.get() * 2).min(MOST_TRIALS));
        }
    }

    pub fn on_pool(&self, took: Took) {
        if took.cpu > CPU || took.wall > WALL {
            self.short.set(0);
            return;
        }
        self.short.set(self.short.get() + 1);
        if self.short.get() >= self.trials.get() {
            self.inline.set(true);
            self.blame.set(BLAME_TRIED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(learnt: &Learnt, calls: u32) {
        for _ in 0..calls {
            learnt.on_pool(Took { wall: Duration::from_millis(5), cpu: Duration::from_micros(10) });
        }
    }

    fn good(learnt: &Learnt, calls: u32) {
        (0..calls).for_each(|_| learnt.on_loop(false, false));
    }

    #[test]
    fn short_calls_lead_to_the_loop_and_good_ones_keep_it_there() {
        let learnt = Learnt::default();
        short(&learnt, TRIALS - 1);
        assert!(!learnt.inline());
        short(&learnt, 1);
        assert!(learnt.inline());
        good(&learnt, 50);
        for _ in 0..10 {
            learnt.on_loop(true, true); // the CPU was taken away, or the GIL
            good(&learnt, BLAME_SLOW);
            assert!(learnt.inline());
        }
    }

    #[test]
    fn the_first_slow_call_of_a_try_ends_it_and_the_next_try_is_later() {
        let learnt = Learnt::default();
        short(&learnt, TRIALS);
        learnt.on_loop(true, false);
        assert!(!learnt.inline());
        short(&learnt, 2 * TRIALS - 1);
        assert!(!learnt.inline());
        short(&learnt, 1);
        assert!(learnt.inline());
    }

    #[test]
    fn handlers_that_wait_do_not_stay() {
        let learnt = Learnt::default();
        short(&learnt, TRIALS);
        good(&learnt, 1_000);
        (0..10).for_each(|_| learnt.on_loop(false, true));
        assert!(!learnt.inline());
    }

    #[test]
    fn long_calls_on_the_pool_start_the_count_again() {
        let learnt = Learnt::default();
        short(&learnt, TRIALS - 1);
        learnt.on_pool(Took { wall: Duration::from_secs(1), cpu: Duration::ZERO });
        short(&learnt, TRIALS - 1);
        assert!(!learnt.inline());
    }

    /// Another's turn on the CPU, as the clock sees it: `now` goes on, the thread's own time does not.
    #[test]
    fn who_is_held_up_again_and_again_stays() {
        let learnt = Learnt::default();
        short(&learnt, TRIALS);
        for _ in 0..1_000 {
            let call = learnt.begin(0);
            learnt.end(call, 6_000);
        }
        assert!(learnt.inline());
    }

    #[test]
    fn who_works_for_long_goes() {
        let learnt = Learnt::default();
        short(&learnt, TRIALS);
        good(&learnt, 1_000);
        for _ in 0..2 {
            let call = learnt.begin(0);
            let until = thread_cpu() + 2 * SLOW;
            while thread_cpu() < until {}
            learnt.end(call, 6_000);
        }
        assert!(!learnt.inline());
    }

    #[test]
    fn who_waits_for_long_goes() {
        let learnt = Learnt::default();
        short(&learnt, TRIALS);
        good(&learnt, 1_000);
        for _ in 0..2 {
            let call = learnt.begin(0);
            std::thread::sleep(Duration::from_millis(3));
            learnt.end(call, 6_000);
        }
        assert!(!learnt.inline());
    }

    #[test]
    fn waiting_is_seen() {
        let before = waits();
        std::thread::sleep(Duration::from_millis(2));
        assert!(waits() > before);
    }
}
