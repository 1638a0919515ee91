//! Static files under one prefix and one folder, with the small ones in memory. Meant for what the project itself publishes
//! (`STATIC_ROOT`), not for what strangers upload: those share the site's origin here.

mod cache;
mod conditions;
mod media;
mod open;
mod range;
mod variant;

pub use conditions::Conditions;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use cache::{Cache, Settings};
use open::Root;
use range::Range;
use variant::{Body, Variant};

/// An answer. `fields` are complete header lines (`name: value\r\n`...) with `Content-Length` where one belongs, without `Date` and `Connection`.
#[derive(Debug)]
pub enum Found<'a> {
    NotFound,
    /// 405; `fields` has `Allow`.
    MethodNotAllowed {
        fields: &'a [u8],
    },
    /// 304.
    NotModified {
        fields: &'a [u8],
    },
    /// 416.
    Unsatisfiable {
        fields: &'a [u8],
    },
    /// 200 or 206 from memory: `body[start..end]`; `start..end` is in range.
    Memory {
        status: u16,
        fields: &'a [u8],
        body: &'a Arc<[u8]>,
        start: usize,
        end: usize,
    },
    /// 200 or 206 from a file: `len` bytes at `offset`. Send with explicit offsets (`sendfile`, `pread`): others read it at the same time.
    Large {
        status: u16,
        fields: &'a [u8],
        file: &'a Arc<File>,
        offset: u64,
        len: u64,
    },
}

const NOT_ALLOWED: &[u8] = b"Allow: GET, HEAD\r\nContent-Length: 0\r\n";

/// The files of one prefix.
pub struct Files {
    prefix: Vec<u8>,
    root: Root,
    cache: Cache,
    scratch: Vec<u8>,
}

impl Files {
    /// `prefix` begins and ends with a slash. `immutable`: names with a hash of 12 hex digits, as Django's `ManifestStaticFilesStorage`
    /// makes them, are kept by browsers for a year. `cache`: bytes of memory (`RIVET_STATIC_CACHE`).
    pub fn new(prefix: &str, root: &Path, immutable: bool, cache: usize) -> Result<Self, String> {
        if !(prefix.starts_with('/') && prefix.ends_with('/')) {
            return Err(format!("static files: the prefix {prefix:?} must begin and end with a slash"));
        }
        let opened = Root::open(root).map_err(|error| format!("static files: {}: {error}", root.display()))?;
        Ok(Self {
            prefix: prefix.into(),
            root: opened,
            cache: Cache::new(Settings { cap: cache, immutable }),
            scratch: Vec::new(),
        })
    }

    /// Whether a path is for `lookup`.
    pub fn covers(&self, path: &[u8]) -> bool {
        path.starts_with(&self.prefix)
    }

    /// Answers a request for `path` (percent-decoded). `now_ms`: any clock that only goes forward; a file is looked at again once a second.
    pub fn lookup(&mut self, method: &[u8], path: &[u8], conditions: &Conditions, now_ms: u64) -> Found<'_> {
        let Some(name) = path.strip_prefix(self.prefix.as_slice()) else { return Found::NotFound };
        if !matches!(method, b"GET" | b"HEAD") {
            return Found::MethodNotAllowed { fields: NOT_ALLOWED };
        }
        let Some(entry) = self.cache.get(&self.root, name, now_ms) else { return Found::NotFound };
        let variant = entry.choose(conditions.accept_encoding);
        if conditions.unchanged(variant) {
            return Found::NotModified { fields: variant.unchanged() };
        }
        let wanted = conditions.range.filter(|_| method == b"GET" && conditions.range_applies(variant));
        match wanted.map_or(Range::Whole, |value| Range::parse(value, variant.len())) {
            Range::Whole => send(variant, 200, variant.whole(), 0, variant.len()),
            Range::Part { start, end } => {
                self.scratch.clear();
                variant.partial(&mut self.scratch, start, end);
                send(variant, 206, &self.scratch, start, end)
            }
            Range::Unsatisfiable => {
                self.scratch.clear();
                variant.unsatisfiable(&mut self.scratch);
                Found::Unsatisfiable { fields: &self.scratch }
            }
        }
    }
}

fn send<'a>(variant: &'a Variant, status: u16, fields: &'a [u8], start: u64, end: u64) -> Found<'a> {
    match &variant.body {
        // As long as the variant says: the offsets fit into memory.
        Body::Memory(body) => Found::Memory { status, fields, body, start: start as usize, end: end as usize },
        Body::File(file) => Found::Large { status, fields, file, offset: start, len: end - start },
    }
}

#[cfg(test)]
mod tests;
