//! Records on their way to the thread that writes them: copied while the I/O thread holds Python's lock, made text there.

use super::Record;

const NUMBERS: usize = 9;
const TEXTS: usize = 7;
const WORD: usize = size_of::<u64>();
const HEAD: usize = (NUMBERS + TEXTS) * WORD;

pub fn put(out: &mut Vec<u8>, record: &Record) {
    let Record { unix_ms, status, minor, bytes, received, micros, first, queued, number, .. } = *record;
    let numbers = [
        unix_ms,
        u64::from(status) << 8 | u64::from(minor),
        bytes,
        received,
        micros,
        first,
        queued,
        number.0,
        number.1,
    ];
    let texts = [record.client, record.method, record.target, record.id, record.referer, record.agent, record.route];
    let mut head = [0; HEAD];
    let words = numbers.into_iter().chain(texts.map(|text| text.len() as u64));
    for (to, word) in head.chunks_exact_mut(WORD).zip(words) {
        to.copy_from_slice(&word.to_ne_bytes());
    }
    out.extend_from_slice(&head);
    for text in texts {
        out.extend_from_slice(text);
    }
}

/// Calls `see` with each record.
pub fn each(mut frames: &[u8], mut see: impl FnMut(&Record)) {
    while let Some((record, rest)) = take(frames) {
        see(&record);
        frames = rest;
    }
}

fn take(frames: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (head, mut rest) = frames.split_at_checked(HEAD)?;
    let mut words = head.chunks_exact(WORD).map(|word| word.try_into().map_or(0, u64::from_ne_bytes));
    let mut number = || words.next().unwrap_or_default();
    let (unix_ms, answer) = (number(), number());
    let mut record = Record {
        unix_ms,
        status: (answer >> 8) as u16,
        minor: answer as u8,
        bytes: number(),
        received: number(),
        micros: number(),
        first: number(),
        queued: number(),
        number: (number(), number()),
        ..Record::default()
    };
    let mut text = || {
        let (text, after) = rest.split_at_checked(number() as usize)?;
        rest = after;
        Some(text)
    };
    record.client = text()?;
    record.method = text()?;
    record.target = text()?;
    record.id = text()?;
    record.referer = text()?;
    record.agent = text()?;
    record.route = text()?;
    Some((record, rest))
}
