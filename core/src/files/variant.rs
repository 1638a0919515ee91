//! One representation of a file, a coding of it or itself, with its header fields rendered once.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::open::{Stamp, read};
use crate::compress::Coding;

/// Larger files stay on disk, open, and go out by sendfile.
const IN_MEMORY: usize = 1 << 20;
/// What an open file counts for in the cache, so that the cap bounds descriptors too: 128 of them in 32 MiB.
const OPEN_FILE: usize = 256 << 10;

#[derive(Debug)]
pub enum Body {
    Memory(Arc<[u8]>),
    File(Arc<File>),
}

/// What all representations of a file have in common.
pub struct Shared {
    pub content_type: &'static str,
    pub cache_control: &'static str,
    /// The cache's cap in bytes.
    pub cache: usize,
    /// There are several representations.
    pub vary: bool,
}

#[derive(Debug)]
pub struct Variant {
    pub stamp: Stamp,
    pub body: Body,
    pub seconds: u64,
    /// What the cache counts it for.
    pub cost: usize,
    fields: Vec<u8>,
    /// Ends in `fields`: of what a 304 has, of `Last-Modified`'s value, of what a 206 has.
    ends: [usize; 3],
    etag: usize,
}

const ETAG: &str = "ETag: ";
const MODIFIED: &str = "Last-Modified: ";

impl Variant {
    pub fn load(file: File, stamp: Stamp, coding: Option<Coding>, shared: &Shared) -> Option<Self> {
        // What takes more of the cache than this would empty it.
        let most = shared.cache / 8;
        let body = if stamp.len > IN_MEMORY.min(most) as u64 {
            Body::File(Arc::new(file))
        } else {
            Body::Memory(read(file, stamp.len)?.into())
        };
        // Before 1970 is a clock that was never set.
        let seconds = u64::try_from(stamp.modified.0).unwrap_or(0);
        let suffix = coding.map_or(String::new(), |coding| format!("-{}", coding.name()));
        let tag = format!("\"{seconds:x}.{:x}-{:x}{suffix}\"", stamp.modified.1, stamp.len);
        let mut text =
            format!("{ETAG}{tag}\r\nCache-Control: {}\r\nX-Content-Type-Options: nosniff\r\n", shared.cache_control);
        if shared.vary {
            text += "Vary: Accept-Encoding\r\n";
        }
        let unchanged = text.len();
        // httpdate ends at the year 9999.
        let modified = UNIX_EPOCH + Duration::from_secs(seconds.min(253_402_300_799));
        text += &format!("{MODIFIED}{}", httpdate::fmt_http_date(modified));
        let dated = text.len();
        text += &format!("\r\nAccept-Ranges: bytes\r\nContent-Type: {}\r\n", shared.content_type);
        if let Some(coding) = coding {
            text += &format!("Content-Encoding: {}\r\n", coding.name());
        }
        let common = text.len();
        text += &format!("Content-Length: {}\r\n", stamp.len);
        let ends = [unchanged, dated, common];
        let cost = text.len() + if let Body::Memory(body) = &body { body.len() } else { OPEN_FILE.min(most) };
        Some(Self { stamp, cost, body, seconds, fields: text.into(), ends, etag: ETAG.len() + tag.len() })
    }

    pub fn len(&self) -> u64 {
        self.stamp.len
    }

    pub fn etag(&self) -> &[u8] {
        self.fields.get(ETAG.len()..self.etag).unwrap_or_default()
    }

    /// The value of `Last-Modified`.
    pub fn modified(&self) -> &[u8] {
        self.fields.get(self.ends[0] + MODIFIED.len()..self.ends[1]).unwrap_or_default()
    }

    /// The fields of a 200.
    pub fn whole(&self) -> &[u8] {
        &self.fields
    }

    /// The fields of a 304 (RFC 9110 15.4.5).
    pub fn unchanged(&self) -> &[u8] {
        self.fields.get(..self.ends[0]).unwrap_or_default()
    }

    /// Appends the fields of a 206.
    pub fn partial(&self, out: &mut Vec<u8>, start: u64, end: u64) {
        out.extend_from_slice(self.fields.get(..self.ends[2]).unwrap_or_default());
        let (last, len) = (end.saturating_sub(1), end.saturating_sub(start));
        // Writing into a Vec cannot fail.
        let _ = write!(out, "Content-Range: bytes {start}-{last}/{}\r\nContent-Length: {len}\r\n", self.len());
    }

    /// Appends the fields of a 416.
    pub fn unsatisfiable(&self, out: &mut Vec<u8>) {
        let _ = write!(out, "Content-Range: bytes */{}\r\nContent-Length: 0\r\n", self.len());
    }
}
