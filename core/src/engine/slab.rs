//! All connections of a thread, found by a token that is never given twice.

use super::conn::Conn;

/// A place in the slab and how often it has been used, so that a late answer never reaches the next connection there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    index: u32,
    generation: u32,
}

/// Epoll's tokens share one number space: this bit is never set in a connection's.
pub const OTHER: u64 = 1 << 63;

impl Token {
    pub fn to_u64(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    pub fn from_u64(value: u64) -> Self {
        Self { index: value as u32, generation: (value >> 32) as u32 }
    }
}

struct Slot {
    generation: u32,
    conn: Option<Box<Conn>>,
}

#[derive(Default)]
pub struct Slab {
    slots: Vec<Slot>,
    free: Vec<u32>,
    len: usize,
}

impl Slab {
    /// How many connections there are.
    pub fn count(&self) -> usize {
        self.len
    }

    pub fn insert(&mut self, conn: Box<Conn>) -> Token {
        self.len += 1;
        if let Some(index) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(index as usize)
        {
            slot.conn = Some(conn);
            return Token { index, generation: slot.generation };
        }
        let index = self.slots.len() as u32;
        self.slots.push(Slot { generation: 0, conn: Some(conn) });
        Token { index, generation: 0 }
    }

    pub fn get(&mut self, token: Token) -> Option<&mut Conn> {
        let slot = self.slots.get_mut(token.index as usize)?;
        if slot.generation == token.generation { slot.conn.as_deref_mut() } else { None }
    }

    pub fn remove(&mut self, token: Token) -> Option<Box<Conn>> {
        let slot = self.slots.get_mut(token.index as usize)?;
        if slot.generation != token.generation {
            return None;
        }
        let conn = slot.conn.take()?;
        slot.generation = (slot.generation + 1) & 0x7fff_ffff;
        self.free.push(token.index);
        self.len -= 1;
        Some(conn)
    }

    /// Every connection, for the sweep.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Token, &mut Conn)> {
        self.slots.iter_mut().enumerate().filter_map(|(index, slot)| {
            let generation = slot.generation;
            slot.conn.as_deref_mut().map(|conn| (Token { index: index as u32, generation }, conn))
        })
    }
}
