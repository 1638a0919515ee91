//! What WebSockets hold of messages: a count for each of them, and one for all of this thread.

use std::cell::Cell;
use std::rc::Rc;

/// So many bytes, which count in `all` until this is dropped.
pub struct Held {
    bytes: usize,
    all: Rc<Cell<usize>>,
}

impl Held {
    pub fn new(all: &Rc<Cell<usize>>) -> Self {
        Self { bytes: 0, all: Rc::clone(all) }
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn set(&mut self, bytes: usize) {
        if bytes != self.bytes {
            self.all.set(self.all.get() - self.bytes + bytes);
            self.bytes = bytes;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_the_sum_of_those_that_are_there() {
        let all = Rc::default();
        let (mut one, mut two) = (Held::new(&all), Held::new(&all));
        one.set(5);
        two.set(7);
        one.set(3);
        assert_eq!((one.bytes(), all.get()), (3, 10));
        drop(two);
        assert_eq!(all.get(), 3);
    }
}
