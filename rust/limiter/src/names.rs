//! A concurrent hash map from the hash of a name to the index of its slot.
//!
//! `tests/loom.rs` has a twin of it that loom can see through.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use dashmap::{DashMap, Entry};

/// Which slot the key of a name has.
#[derive(Default)]
pub(crate) struct Names(DashMap<Name, u32, BuildHasherDefault<AsIs>>);

impl Names {
    /// What stands for a name. O(1).
    pub(crate) fn get(&self, hash: u128) -> Option<u32> {
        self.0.get(&Name::new(hash)).map(|index| *index)
    }

    /// Calls `f` with what stands for a name, while nobody else can read or change that; if it returns an
    /// index, that stands there from then on. Returns what else it returns. O(1).
    pub(crate) fn update<R>(
        &self,
        hash: u128,
        f: impl FnOnce(Option<u32>) -> (Option<u32>, R),
    ) -> R {
        match self.0.entry(Name::new(hash)) {
            Entry::Occupied(mut entry) => {
                let (index, result) = f(Some(*entry.get()));
                if let Some(index) = index {
                    entry.insert(index);
                }
                result
            }
            Entry::Vacant(entry) => {
                let (index, result) = f(None);
                if let Some(index) = index {
                    entry.insert(index);
                }
                result
            }
        }
    }

    /// Removes the entry of a name if it has `index`. O(1).
    pub(crate) fn remove(&self, hash: u128, index: u32) {
        self.0.remove_if(&Name::new(hash), |_, &at| at == index);
    }

    /// How many entries there are, for tests.
    #[cfg(feature = "oracle")]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The hash of a name, in parts whose alignment makes the entries of the map no larger than they are:
/// 20 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Name([u32; 4]);

impl Name {
    fn new(hash: u128) -> Self {
        Self([hash as u32, (hash >> 32) as u32, (hash >> 64) as u32, (hash >> 96) as u32])
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.0[1]) << 32 | u64::from(self.0[0]));
    }
}

/// A hash that is keyed and uniform already is its own hash.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}
