//! Values that only code with the GIL touches.

use std::ops::Deref;

/// Lets a Python object hold what is no business of other threads. The interpreter's garbage collector may end such an
/// object on any of its threads, but never without the GIL, which keeps the threads apart.
pub struct Gil<T>(T);

// SAFETY: the module says that it needs the GIL (lib.rs), so every access to a Python object, its end included, happens
// with the GIL held; and no access lets go of it while a cell within is borrowed (src/engine/mod.rs).
unsafe impl<T> Send for Gil<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Gil<T> {}

impl<T> Gil<T> {
    pub fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Gil<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
