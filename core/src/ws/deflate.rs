//! permessage-deflate's payload (RFC 7692 section 7.2). Messages do not share a context (see extension.rs), so that the
//! compressors belong to the thread, not to each connection.

use std::cell::RefCell;

use flate2::{Compress, CompressError, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::Failure;
use super::frame::{MAX_HEADER, Opcode, header};

/// What a flushed block ends in; it is left out of a message (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// Decompressors kept for the next message: more are needed only while as many fragmented messages are under way.
const KEPT: usize = 4;
/// Bytes of a decompressor: its window, and what it knows.
pub const INFLATER: usize = 48 << 10;
/// Bytes by which a message's room grows while it is inflated, at least.
const STEP: usize = 1024;

thread_local! {
    static INFLATERS: RefCell<Vec<Decompress>> = const { RefCell::new(Vec::new()) };
    static DEFLATER: RefCell<Option<(u8, u8, Compress)>> = const { RefCell::new(None) };
}

/// Most bytes that a message of `max_message` bytes takes compressed: stored blocks add five bytes each.
pub fn bound(max_message: usize) -> usize {
    max_message.saturating_add(max_message >> 10).saturating_add(64)
}

/// A decompressor, lent by the thread for one message.
pub struct Inflater {
    state: Option<Decompress>,
    /// Whether the message came to its end: what was left half-way is not lent again.
    finished: bool,
}

impl Inflater {
    pub fn new() -> Self {
        let kept = INFLATERS.with_borrow_mut(Vec::pop);
        Self { state: Some(kept.unwrap_or_else(|| Decompress::new(false))), finished: false }
    }

    /// Appends to `out` what `input` holds; fails as soon as `out` is longer than `max`.
    pub fn inflate(&mut self, mut input: &[u8], out: &mut Vec<u8>, max: usize) -> Result<(), Failure> {
        let Some(state) = &mut self.state else { return Ok(()) };
        if input.is_empty() {
            return Ok(());
        }
        loop {
            if out.len() == out.capacity() {
                let room = (max + 1).saturating_sub(out.len());
                out.reserve_exact(out.len().max(input.len() * 2).max(STEP).min(room));
            }
            let before = (state.total_in(), out.len());
            let status = state.decompress_vec(input, out, FlushDecompress::Sync).map_err(|_| Failure::INFLATE)?;
            let taken = (state.total_in() - before.0) as usize;
            input = input.get(taken..).unwrap_or_default();
            if out.len() > max {
                return Err(Failure::TOO_BIG);
            }
            match status {
                // A peer may end the stream in the middle of a message and begin another (RFC 7692 section 7.2.3.4).
                Status::StreamEnd => state.reset(false),
                _ if out.len() == out.capacity() => continue,
                _ if taken == 0 && out.len() == before.1 && !input.is_empty() => return Err(Failure::INFLATE),
                _ => {}
            }
            if input.is_empty() {
                return Ok(());
            }
        }
    }

    /// The message's end: puts back the bytes that its sender left out.
    pub fn finish(&mut self, out: &mut Vec<u8>, max: usize) -> Result<(), Failure> {
        self.inflate(&TAIL, out, max)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        let Some(mut state) = self.state.take_if(|_| self.finished) else { return };
        // At the thread's end there is nothing to give it back to.
        let _ = INFLATERS.try_with(|kept| {
            if let Ok(mut kept) = kept.try_borrow_mut()
                && kept.len() < KEPT
            {
                state.reset(false);
                kept.push(state);
            }
        });
    }
}

/// Appends one compressed frame to `out`; false, and nothing appended, when the message would not become smaller.
pub fn compressed(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], bits: u8, level: u8) -> bool {
    let start = out.len();
    // Room for the longest header comes first; what it does not need is taken out again.
    out.resize(start + MAX_HEADER, 0);
    let body = out.len();
    let done = DEFLATER.with_borrow_mut(|kept| {
        let mut state = match kept.take() {
            Some((b, l, mut state)) if (b, l) == (bits, level) => {
                state.reset();
                state
            }
            // zlib has no window of 256 bytes; with one of 512 its distances stay below 251 (a test checks it).
            _ => Compress::new_with_window_bits(Compression::new(level.into()), false, bits.clamp(9, 15)),
        };
        deflate(&mut state, out, payload).ok()?;
        *kept = Some((bits, level, state));
        Some(())
    });
    let len = out.len().saturating_sub(body + TAIL.len());
    if done.is_none() || !out.ends_with(&TAIL) || len >= payload.len() {
        out.truncate(start);
        return false;
    }
    out.truncate(body + len);
    let (bytes, size) = header(opcode, true, len);
    out.drain(start..body - size);
    if let Some(place) = out.get_mut(start..start + size) {
        place.copy_from_slice(bytes.get(..size).unwrap_or_default());
    }
    true
}

/// Appends `payload` compressed, with its tail. It runs to the end even where that does not help: zlib-rs 0.6 does not reset all
/// of a state that was left half-way (its next messages are corrupt, or it panics).
fn deflate(state: &mut Compress, out: &mut Vec<u8>, mut payload: &[u8]) -> Result<(), CompressError> {
    // Codes are 9 bits a byte at most in level 1's fixed blocks.
    out.reserve(payload.len() + payload.len() / 8 + 64);
    loop {
        let before = state.total_in();
        state.compress_vec(payload, out, FlushCompress::Sync)?;
        payload = payload.get((state.total_in() - before) as usize..).unwrap_or_default();
        if payload.is_empty() && out.len() < out.capacity() {
            return Ok(());
        }
        out.reserve(STEP);
    }
}
