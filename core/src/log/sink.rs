//! Log lines on their way to a descriptor: a bounded buffer and one thread that writes, so that a slow reader never holds up a request.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;

use super::{Format, Lines, frame};

/// How long lines gather before they are written: one wake-up of the thread for many requests.
const GATHER: Duration = Duration::from_millis(10);
/// How much is formatted until it is written.
const PIECE: usize = 64 << 10;
/// How much of a pipe's write is never mixed with another process's: pipe(7), PIPE_BUF.
const WHOLE: usize = 4096;

#[derive(Default)]
struct State {
    /// Records: frame.rs.
    pending: Vec<u8>,
    idle: bool,
    closing: bool,
    ended: bool,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    capacity: usize,
    dropped: AtomicU64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lose(&self, lines: u64) {
        self.dropped.fetch_add(lines, Relaxed);
    }
}

pub struct Sink {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    /// Starts the thread that writes to `fd`; at most `capacity` bytes wait. `format`: of the line that tells of lost ones.
    pub fn start(fd: OwnedFd, capacity: usize, format: Format) -> io::Result<Self> {
        let shared =
            Arc::new(Shared { state: Mutex::default(), wake: Condvar::new(), capacity, dropped: AtomicU64::new(0) });
        let fifo = fstat(&fd).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
        let lines = Lines::new(format);
        let writer = Writer { shared: shared.clone(), fd, fifo, format, lines, torn: false, told: 0 };
        let thread = thread::Builder::new().name("rivet-log".into()).spawn(move || writer.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Takes a turn's `count` records and leaves `frames` empty, to be filled again. What finds no room is dropped and
    /// counted.
    pub fn push(&self, frames: &mut Vec<u8>, count: u64) {
        if frames.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        if state.pending.len() + frames.len() > self.shared.capacity {
            self.shared.lose(count);
        } else {
            if state.pending.is_empty() {
                std::mem::swap(&mut state.pending, frames);
            } else {
                state.pending.extend_from_slice(frames);
            }
        }
        let wake = state.idle;
        state.idle = false;
        drop(state);
        frames.clear();
        if wake {
            self.shared.wake.notify_all();
        }
    }

    /// Lines lost since the start, by a full buffer or a failed write.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Relaxed)
    }

    /// Writes what waits, for at most `limit`; false when the reader took longer and the rest is lost.
    pub fn close(&mut self, limit: Duration) -> bool {
        let Some(thread) = self.thread.take() else { return true };
        let end = Instant::now() + limit;
        let mut state = self.shared.lock();
        state.closing = true;
        self.shared.wake.notify_all();
        while !state.ended {
            let Some(left) = end.checked_duration_since(Instant::now()) else { return false };
            state = self.shared.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        thread.join().is_ok()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.close(Duration::from_secs(1));
    }
}

struct Writer {
    shared: Arc<Shared>,
    fd: OwnedFd,
    fifo: bool,
    format: Format,
    lines: Lines,
    /// The last write ended within a line.
    torn: bool,
    told: u64,
}

impl Writer {
    fn run(mut self) {
        let (mut batch, mut text) = (Vec::new(), Vec::new());
        while self.next(&mut batch) {
            frame::each(&batch, |record| {
                self.lines.write(&mut text, record);
                if text.len() >= PIECE {
                    self.write(&text);
                    text.clear();
                }
            });
            self.write(&text);
            batch.clear();
            text.clear();
            self.tell();
        }
        self.shared.lock().ended = true;
        self.shared.wake.notify_all();
    }

    /// Waits for lines and lets them gather; false at the end.
    fn next(&self, batch: &mut Vec<u8>) -> bool {
        let mut state = self.shared.lock();
        while state.pending.is_empty() && !state.closing {
            state.idle = true;
            state = self.shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if !state.closing {
            state = self.shared.wake.wait_timeout(state, GATHER).unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::swap(&mut state.pending, batch);
        !batch.is_empty()
    }

    /// Says how many lines were lost, once the descriptor takes bytes again.
    fn tell(&mut self) {
        let dropped = self.shared.dropped.load(Relaxed);
        let lost = dropped - self.told;
        if lost == 0 {
            return;
        }
        let text = format!("access log: {lost} lines were lost: its reader is slower than the server, or has gone");
        let line = match self.format {
            Format::Combined => format!("{text}\n"),
            Format::Json => format!("{{\"level\":\"warning\",\"message\":\"{text}\"}}\n"),
        };
        if self.put(line.as_bytes()).is_ok() {
            self.told = dropped;
        }
    }

    fn write(&mut self, mut lines: &[u8]) {
        while !lines.is_empty() {
            let (piece, rest) = lines.split_at(if self.fifo { piece(lines) } else { lines.len() });
            if let Err(written) = self.put(piece) {
                let lost = lines.get(written..).unwrap_or_default();
                self.shared.lose(memchr::memchr_iter(b'\n', lost).count() as u64);
                return;
            }
            lines = rest;
        }
    }

    /// Writes all of `bytes`, or says how many were written before the descriptor failed.
    fn put(&mut self, bytes: &[u8]) -> Result<(), usize> {
        if self.torn {
            self.send(b"\n").map_err(|_| 0_usize)?;
            self.torn = false;
        }
        self.send(bytes).inspect_err(|&done| self.torn = done > 0 && bytes.get(done - 1) != Some(&b'\n'))
    }

    fn send(&self, bytes: &[u8]) -> Result<(), usize> {
        let mut done = 0;
        while let Some(left) = bytes.get(done..).filter(|left| !left.is_empty()) {
            match rustix::io::write(&self.fd, left) {
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                // Someone else who holds the same pipe made it non-blocking.
                Err(Errno::AGAIN) => {
                    let _ = poll(&mut [PollFd::from_borrowed_fd(self.fd.as_fd(), PollFlags::OUT)], None);
                }
                Err(_) => return Err(done),
            }
        }
        Ok(())
    }
}

/// As many whole lines as a pipe takes at once; a longer line goes alone.
fn piece(lines: &[u8]) -> usize {
    let whole = lines.get(..WHOLE).map_or(Some(lines.len()), |head| memchr::memrchr(b'\n', head).map(|at| at + 1));
    whole.or_else(|| memchr::memchr(b'\n', lines).map(|at| at + 1)).unwrap_or(lines.len())
}
