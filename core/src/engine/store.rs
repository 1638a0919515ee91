//! Where a body is kept until its request has ended: in memory, or in a temporary file.

use std::fs::File;
use std::io::{Result, Seek, Write};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::shared::Body;

/// All bodies together have so many times `spool` bytes of memory; what comes beyond goes to files.
const TOGETHER: usize = 64;

/// Bytes that are allocated for a body before any has come.
const AHEAD: usize = 64 << 10;

/// A body in memory. Its bytes count until nobody has it any more, on whichever thread that is.
pub struct Kept {
    bytes: Vec<u8>,
    /// The bytes of all of this engine.
    all: Arc<AtomicUsize>,
}

impl Kept {
    /// False when there is no room for more.
    fn take(&mut self, data: &[u8], spool: usize) -> bool {
        let all = self.all.load(Ordering::Relaxed).saturating_add(data.len());
        if self.bytes.len() + data.len() > spool || all > spool.saturating_mul(TOGETHER) {
            return false;
        }
        self.all.fetch_add(data.len(), Ordering::Relaxed);
        self.bytes.extend_from_slice(data);
        true
    }
}

impl Deref for Kept {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

/// A body on its way.
pub enum Store {
    Memory(Kept),
    File(File),
}

impl Store {
    /// `expected`: bytes that are likely to come; `all`: those of all bodies in memory.
    pub fn new(expected: usize, all: &Arc<AtomicUsize>) -> Self {
        Self::Memory(Kept { bytes: Vec::with_capacity(expected.min(AHEAD)), all: Arc::clone(all) })
    }

    /// Adds some; a body that is larger than `spool`, or that finds no room in memory, goes to a file.
    pub fn write(&mut self, data: &[u8], spool: usize) -> Result<()> {
        if let Self::Memory(kept) = self {
            if kept.take(data, spool) {
                return Ok(());
            }
            let mut file = unnamed_file()?;
            file.write_all(kept)?;
            *self = Self::File(file);
        }
        match self {
            Self::File(file) => file.write_all(data),
            Self::Memory(_) => Ok(()),
        }
    }

    pub fn into_body(self) -> Result<Body> {
        Ok(match self {
            Self::Memory(kept) => Body::Memory(kept),
            Self::File(mut file) => {
                file.rewind()?;
                Body::File(file)
            }
        })
    }
}

/// A temporary file that no name leads to: it is gone with its last descriptor.
fn unnamed_file() -> Result<File> {
    use rustix::fs::{CWD, Mode, OFlags, openat, unlinkat};
    let folder = std::env::temp_dir();
    let mode = Mode::RUSR | Mode::WUSR;
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    if let Ok(file) = openat(CWD, &folder, flags | OFlags::TMPFILE, mode) {
        return Ok(File::from(file));
    }
    // Not every file system has O_TMPFILE: overlayfs and NFS may not.
    let number = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id());
    let path = folder.join(format!("rivet-{number:016x}"));
    let file = openat(CWD, &path, flags | OFlags::CREATE | OFlags::EXCL, mode)?;
    unlinkat(CWD, &path, rustix::fs::AtFlags::empty())?;
    Ok(File::from(file))
}
