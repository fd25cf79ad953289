//! A concurrent hash map (DashMap) from the hash of a name to the index of its slot.
//!
//! `tests/loom` replaces it with a map that loom can see through.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use dashmap::{DashMap, Entry};

/// From name hashes to slot indices.
#[derive(Default)]
pub(crate) struct NameMap(DashMap<NameHash, u32, BuildHasherDefault<IdentityHasher>>);

impl NameMap {
    /// The index for a name. O(1).
    pub(crate) fn get(&self, hash: u128) -> Option<u32> {
        self.0.get(&NameHash::new(hash)).map(|index| *index)
    }

    /// Locks the entry of a name and calls `f` with its index, if any. If `f` returns an index, the
    /// entry is set to it. Returns the other value that `f` returns. O(1).
    pub(crate) fn update<R>(
        &self,
        hash: u128,
        f: impl FnOnce(Option<u32>) -> (Option<u32>, R),
    ) -> R {
        match self.0.entry(NameHash::new(hash)) {
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
        self.0.remove_if(&NameHash::new(hash), |_, &at| at == index);
    }

    /// The number of entries, for tests.
    #[cfg(feature = "oracle")]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The hash of a name, as 32-bit parts: their alignment keeps an entry at 20 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct NameHash([u32; 4]);

impl NameHash {
    fn new(hash: u128) -> Self {
        Self([hash as u32, (hash >> 32) as u32, (hash >> 64) as u32, (hash >> 96) as u32])
    }
}

impl Hash for NameHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.0[1]) << 32 | u64::from(self.0[0]));
    }
}

/// The identity as a hash function: name hashes are keyed and uniform already.
#[derive(Default)]
struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
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
