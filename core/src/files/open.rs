//! Opening files under a root and nowhere else.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// What tells one state of a file from the next, without reading it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    pub len: u64,
    /// Modified: seconds since 1970, nanoseconds.
    pub modified: (i64, i64),
    inode: (u64, u64),
}

pub struct Root {
    /// Without symbolic links.
    path: PathBuf,
    dir: OwnedFd,
}

/// `O_NONBLOCK`: opening a FIFO must not wait for its writer.
const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

impl Root {
    pub fn open(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let dir = rustix::fs::open(&path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { path, dir })
    }

    /// Opens a regular file by its name below the root; symbolic links may lead about inside, never out.
    pub fn file(&self, name: &[u8]) -> Option<(File, Stamp)> {
        if !plain(name) {
            return None;
        }
        let file = File::from(self.beneath(name).ok()?);
        let data = file.metadata().ok().filter(|data| data.is_file())?;
        let stamp =
            Stamp { len: data.len(), modified: (data.mtime(), data.mtime_nsec()), inode: (data.dev(), data.ino()) };
        Some((file, stamp))
    }

    #[cfg(target_os = "linux")]
    fn beneath(&self, name: &[u8]) -> io::Result<OwnedFd> {
        use rustix::fs::{ResolveFlags, openat2};
        use rustix::io::Errno;

        let inside = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match openat2(&self.dir, name, READ, Mode::empty(), inside) {
            // Kernels before 5.6, and sandboxes that do not know the call.
            Err(Errno::NOSYS | Errno::PERM) => self.resolved(name),
            opened => Ok(opened?),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn beneath(&self, name: &[u8]) -> io::Result<OwnedFd> {
        self.resolved(name)
    }

    /// The same where the kernel cannot do it in one step.
    fn resolved(&self, name: &[u8]) -> io::Result<OwnedFd> {
        let path = self.path.join(OsStr::from_bytes(name)).canonicalize()?;
        let inside = path.strip_prefix(&self.path).map_err(|_| io::ErrorKind::NotFound)?;
        Ok(rustix::fs::openat(&self.dir, inside, READ | OFlags::NOFOLLOW, Mode::empty())?)
    }
}

/// Whether every component is an ordinary name: not empty, `.`, `..` or hidden (`.git`, `.env`), without NUL.
fn plain(name: &[u8]) -> bool {
    !name.contains(&0) && name.split(|&byte| byte == b'/').all(|part| !part.is_empty() && !part.starts_with(b"."))
}

/// The whole file, which was `len` bytes long a moment ago; `None` when it no longer is.
pub fn read(mut file: File, len: u64) -> Option<Vec<u8>> {
    let mut body = Vec::with_capacity(usize::try_from(len).ok()?.checked_add(1)?);
    (&mut file).take(len + 1).read_to_end(&mut body).ok()?;
    (body.len() as u64 == len).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_stay_inside() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(outer.path().join("secret"), "s").unwrap();
        std::fs::write(root.join("sub/a.txt"), "a").unwrap();
        std::os::unix::fs::symlink("sub/a.txt", root.join("inside")).unwrap();
        std::os::unix::fs::symlink("../secret", root.join("outside")).unwrap();
        std::os::unix::fs::symlink(outer.path().join("secret"), root.join("absolute")).unwrap();
        std::os::unix::fs::symlink("..", root.join("up")).unwrap();
        let root = Root::open(&root).unwrap();
        for (name, found) in [
            ("sub/a.txt", true),
            ("inside", true),
            ("outside", false),
            ("absolute", false),
            ("up/secret", false),
            ("nothing", false),
        ] {
            assert_eq!(root.beneath(name.as_bytes()).is_ok(), found, "openat2 {name}");
            assert_eq!(root.resolved(name.as_bytes()).is_ok(), found, "resolved {name}");
            assert_eq!(root.file(name.as_bytes()).is_some(), found, "{name}");
        }
        assert!(root.file(b"sub").is_none(), "a folder is no file");
    }

    #[test]
    fn names_that_are_refused() {
        for name in ["", "/a", "a//b", "a/", "../a", "a/../b", ".env", "a/.git/config", "./a", "a\0b"] {
            assert!(!plain(name.as_bytes()), "{name:?}");
        }
        for name in ["a", "a/b.css", "a..b", "a/b.", "a b", "é"] {
            assert!(plain(name.as_bytes()), "{name:?}");
        }
    }
}
