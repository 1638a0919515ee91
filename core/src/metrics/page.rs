//! Memory with the numbers of one process: it counts, others read, even after it was killed.
//!
//! A page is a list of series, each of which says what it is, so that a parent reads the pages of workers that have
//! other routes, or another version of this code, than itself. The first word is how many words are used.

use std::io;
use std::ops::Range;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use rustix::fs::{MemfdFlags, fstat, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

/// Room for some 5,000 routes. What is not written to takes no memory.
const BYTES: usize = 4 << 20;
/// The word after the one that says how many are used.
const FIRST: usize = 1;
/// Words of a series before its text: kind, bytes of text, count of numbers.
const HEAD: usize = 3;
const WORD: usize = size_of::<u64>();

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Gauge = 1,
    Counter = 2,
    /// Buckets, and the sum of microseconds.
    Histogram = 3,
    /// A histogram for each class of status.
    Statuses = 4,
}

impl Kind {
    fn of(number: u64) -> Option<Self> {
        [Self::Gauge, Self::Counter, Self::Histogram, Self::Statuses].into_iter().find(|&kind| kind as u64 == number)
    }
}

/// What a series is: `labels` as in the text format, `help` only where it comes first.
#[derive(Clone, Copy)]
pub struct Series<'a> {
    pub kind: Kind,
    pub name: &'a str,
    pub labels: &'a str,
    pub help: &'a str,
}

pub struct Page(NonNull<AtomicU64>);

// SAFETY: it owns its mapping, and all access is to atomics.
unsafe impl Send for Page {}
// SAFETY: as above.
unsafe impl Sync for Page {}

impl Page {
    /// Memory that a descriptor stands for: who has it can map the same page.
    ///
    /// # Errors
    /// The system's.
    pub fn make() -> io::Result<OwnedFd> {
        let fd = memfd_create("rivet-metrics", MemfdFlags::CLOEXEC)?;
        ftruncate(&fd, BYTES as u64)?;
        Ok(fd)
    }

    /// # Errors
    /// The system's, and for a descriptor that `make` has not made.
    pub fn shared(fd: BorrowedFd<'_>) -> io::Result<Self> {
        if fstat(fd)?.st_size != BYTES as i64 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the descriptor is no page of metrics"));
        }
        // SAFETY: a new mapping of whole words, and any value is a valid word; nobody makes the file smaller.
        let start =
            unsafe { mmap(std::ptr::null_mut(), BYTES, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, fd, 0)? };
        Self::at(start.cast())
    }

    /// For a process whose numbers nobody else reads.
    ///
    /// # Errors
    /// The system's.
    pub fn private() -> io::Result<Self> {
        // SAFETY: a new mapping.
        let start = unsafe {
            mmap_anonymous(std::ptr::null_mut(), BYTES, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)?
        };
        Self::at(start.cast())
    }

    fn at(start: *mut AtomicU64) -> io::Result<Self> {
        NonNull::new(start).map(Self).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
    }

    #[inline]
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping is so long and lives as long as `self`; it begins at a page of memory, so it is aligned.
        unsafe { slice::from_raw_parts(self.0.as_ptr(), BYTES / WORD) }
    }

    /// Adds a series with `count` numbers, all 0, and returns where they begin; None when the page is full.
    /// One thread adds; others see a series when it is whole.
    pub fn add(&self, series: &Series<'_>, count: usize) -> Option<usize> {
        let words = self.words();
        let used = words.first()?;
        let start = (used.load(Relaxed) as usize).max(FIRST);
        let text = [series.name, series.labels, series.help].join("\n");
        let numbers = start + HEAD + text.len().div_ceil(WORD);
        let record = words.get(start..numbers + count)?;
        for (word, value) in record.iter().zip([series.kind as u64, text.len() as u64, count as u64]) {
            word.store(value, Relaxed);
        }
        for (word, piece) in record.iter().skip(HEAD).zip(text.as_bytes().chunks(WORD)) {
            let mut bytes = [0; WORD];
            bytes.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
            word.store(u64::from_ne_bytes(bytes), Relaxed);
        }
        used.store((numbers + count) as u64, Release);
        Some(numbers)
    }

    /// Calls `see` with each series and its numbers; ends at what it cannot read.
    pub fn each(&self, mut see: impl FnMut(&Series<'_>, &[AtomicU64])) {
        let words = self.words();
        let used = words.first().map_or(0, |used| used.load(Acquire) as usize);
        let mut start = FIRST;
        while start < used {
            let Some((kind, text, numbers)) = read(words, start) else { return };
            if let Some(series) = series(kind, &text) {
                see(&series, words.get(numbers.clone()).unwrap_or_default());
            }
            start = numbers.end;
        }
    }
}

/// The kind and the text of the series at `start`, and where its numbers are.
fn read(words: &[AtomicU64], start: usize) -> Option<(u64, String, Range<usize>)> {
    let word = |at: usize| words.get(start + at).map(|word| word.load(Relaxed));
    let (length, count) = (usize::try_from(word(1)?).ok()?, usize::try_from(word(2)?).ok()?);
    let text = start + HEAD;
    let numbers = text.checked_add(length.div_ceil(WORD))?;
    let mut bytes: Vec<u8> =
        words.get(text..numbers)?.iter().flat_map(|word| word.load(Relaxed).to_ne_bytes()).collect();
    bytes.truncate(length);
    Some((word(0)?, String::from_utf8(bytes).ok()?, numbers..numbers.checked_add(count)?))
}

fn series(kind: u64, text: &str) -> Option<Series<'_>> {
    let mut parts = text.splitn(3, '\n');
    Some(Series { kind: Kind::of(kind)?, name: parts.next()?, labels: parts.next()?, help: parts.next()? })
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and no borrow of it outlives us.
        let _ = unsafe { munmap(self.0.as_ptr().cast(), BYTES) };
    }
}
