//! Files that were asked for, with a cap on their bytes; the least recently asked for go first.

use std::collections::HashMap;
use std::sync::Arc;

use super::media::content_type;
use super::open::{Root, Stamp};
use super::variant::{Shared, Variant};
use crate::compress::{Accepted, Coding};

/// How long a file counts as unchanged.
const FRESH_MS: u64 = 1000;
/// What an entry counts for beside its bytes: its keys and numbers.
const OVERHEAD: usize = 512;
/// Codings that build tools leave beside a file, the densest first.
const SIBLINGS: [(Coding, &str); 3] = [(Coding::Brotli, ".br"), (Coding::Zstd, ".zst"), (Coding::Gzip, ".gz")];

/// A minute: a name without a hash can change with any deployment, and a page's second view within it asks for nothing.
const SHORT: &str = "public, max-age=60";
/// A year, RFC 9111's way to say for ever; <https://www.rfc-editor.org/rfc/rfc8246>.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

type Stamps = [Option<Stamp>; 1 + SIBLINGS.len()];

pub struct Entry {
    name: Arc<[u8]>,
    plain: Variant,
    coded: Vec<(Coding, Variant)>,
    stamps: Stamps,
    checked_ms: u64,
    used: u64,
    cost: usize,
}

impl Entry {
    fn load(root: &Root, name: &[u8], settings: Settings, now_ms: u64) -> Option<Self> {
        let (file, stamp) = root.file(name)?;
        let siblings = SIBLINGS.map(|(coding, suffix)| (coding, root.file(&[name, suffix.as_bytes()].concat())));
        let shared = Shared {
            cache: settings.cap,
            content_type: content_type(name),
            cache_control: if settings.immutable && hashed(name) { IMMUTABLE } else { SHORT },
            vary: siblings.iter().any(|(_, sibling)| sibling.is_some()),
        };
        let mut stamps = [Some(stamp), None, None, None];
        let plain = Variant::load(file, stamp, None, &shared)?;
        let mut coded = Vec::new();
        for ((coding, sibling), place) in siblings.into_iter().zip(stamps.iter_mut().skip(1)) {
            let Some((file, stamp)) = sibling else { continue };
            *place = Some(stamp);
            coded.extend(Variant::load(file, stamp, Some(coding), &shared).map(|variant| (coding, variant)));
        }
        let cost = OVERHEAD + name.len() + plain.cost + coded.iter().map(|(_, variant)| variant.cost).sum::<usize>();
        Some(Self { name: name.into(), plain, coded, stamps, checked_ms: now_ms, used: 0, cost })
    }

    /// The representation that the client likes best; the densest among equals.
    pub fn choose(&self, accept_encoding: Option<&[u8]>) -> &Variant {
        let Some(value) = accept_encoding.filter(|_| !self.coded.is_empty()) else { return &self.plain };
        let coded = self.coded.iter().map(|(coding, variant)| (*coding, variant));
        Accepted::parse([value]).best(coded).map_or(&self.plain, |(_, variant)| variant)
    }
}

/// Whether Django's `ManifestStaticFilesStorage` put a hash of the content into the name: `app.55e7cbb9ba48.css`.
fn hashed(name: &[u8]) -> bool {
    let last = name.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let hex = |part: &[u8]| part.len() == 12 && part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    last.split(|&byte| byte == b'.').skip(1).any(hex)
}

fn stamps(root: &Root, name: &[u8]) -> Stamps {
    let suffixes = ["", SIBLINGS[0].1, SIBLINGS[1].1, SIBLINGS[2].1];
    suffixes.map(|suffix| root.file(&[name, suffix.as_bytes()].concat()).map(|(_, stamp)| stamp))
}

#[derive(Clone, Copy)]
pub struct Settings {
    /// Bytes.
    pub cap: usize,
    /// Names with a hash are for ever.
    pub immutable: bool,
}

pub struct Cache {
    settings: Settings,
    places: HashMap<Arc<[u8]>, usize>,
    entries: Vec<Entry>,
    cost: usize,
    clock: u64,
}

impl Cache {
    pub fn new(settings: Settings) -> Self {
        Self { settings, places: HashMap::new(), entries: Vec::new(), cost: 0, clock: 0 }
    }

    #[cfg(test)]
    pub fn cost(&self) -> usize {
        self.cost
    }

    /// The file of that name as it is now, or was less than a second ago.
    pub fn get(&mut self, root: &Root, name: &[u8], now_ms: u64) -> Option<&Entry> {
        let place = match self.places.get(name) {
            Some(&place) => self.fresh(root, place, now_ms)?,
            None => self.insert(Entry::load(root, name, self.settings, now_ms)?),
        };
        self.clock += 1;
        let entry = self.entries.get_mut(place)?;
        entry.used = self.clock;
        Some(entry)
    }

    fn fresh(&mut self, root: &Root, place: usize, now_ms: u64) -> Option<usize> {
        let entry = self.entries.get_mut(place)?;
        if now_ms.wrapping_sub(entry.checked_ms) < FRESH_MS {
            return Some(place);
        }
        if stamps(root, &entry.name) == entry.stamps {
            entry.checked_ms = now_ms;
            return Some(place);
        }
        let gone = self.entries.swap_remove(place);
        self.cost -= gone.cost;
        self.index();
        let entry = Entry::load(root, &gone.name, self.settings, now_ms)?;
        Some(self.insert(entry))
    }

    fn insert(&mut self, entry: Entry) -> usize {
        if self.cost + entry.cost > self.settings.cap {
            self.evict();
        }
        self.cost += entry.cost;
        self.places.insert(entry.name.clone(), self.entries.len());
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// Makes room down to three quarters, so that it is not done for every file.
    fn evict(&mut self) {
        self.entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.used));
        while self.cost > self.settings.cap / 4 * 3 {
            let Some(oldest) = self.entries.pop() else { break };
            self.cost -= oldest.cost;
        }
        self.index();
    }

    fn index(&mut self) {
        self.places = self.entries.iter().enumerate().map(|(place, entry)| (entry.name.clone(), place)).collect();
    }
}
