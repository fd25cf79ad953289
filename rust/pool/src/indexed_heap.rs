//! An indexed binary heap: a min-heap that knows the position of each item, so the key of any item
//! can change.
//!
//! Items are small integers that a slab allocates, so the index of positions is an array. Heaps
//! order the available upstreams, the waiters by their turn and by their deadline, resting
//! upstreams and unclaimed offers.

use crate::index::NONE;

/// A heap whose least key is first.
#[derive(Clone, Debug)]
pub(crate) struct IndexedHeap<K> {
    entries: Vec<(K, u32)>,
    /// The position of each item in `entries`, or [`NONE`].
    positions: Vec<u32>,
}

impl<K: Ord + Copy> IndexedHeap<K> {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new(), positions: Vec::new() }
    }

    /// The item with the least key. O(1).
    pub(crate) fn first(&self) -> Option<(K, u32)> {
        self.entries.first().copied()
    }

    /// Whether the heap contains `item`. O(1).
    pub(crate) fn contains(&self, item: u32) -> bool {
        self.positions.get(item as usize).is_some_and(|&position| position != NONE)
    }

    /// Inserts `item` with `key`, or changes its key. O(log n).
    pub(crate) fn set(&mut self, item: u32, key: K) {
        let index = item as usize;
        if index >= self.positions.len() {
            self.positions.resize(index + 1, NONE);
        }
        let position = self.positions[index] as usize;
        if self.positions[index] == NONE {
            self.entries.push((key, item));
            self.up(self.entries.len() - 1);
        } else {
            self.entries[position].0 = key;
            let position = self.up(position);
            self.down(position);
        }
    }

    /// Removes `item` if the heap contains it. O(log n).
    pub(crate) fn remove(&mut self, item: u32) {
        if !self.contains(item) {
            return;
        }
        let position = self.positions[item as usize] as usize;
        self.positions[item as usize] = NONE;
        let Some(last) = self.entries.pop() else { return };
        if position < self.entries.len() {
            self.entries[position] = last;
            let position = self.up(position);
            self.down(position);
        }
    }

    /// Sifts the entry at `position` up, and returns its new position. Records the position in any
    /// case.
    fn up(&mut self, mut position: usize) -> usize {
        let entry = self.entries[position];
        while position > 0 {
            let parent = (position - 1) / 2;
            if self.entries[parent].0 <= entry.0 {
                break;
            }
            self.put(position, self.entries[parent]);
            position = parent;
        }
        self.put(position, entry);
        position
    }

    fn down(&mut self, mut position: usize) {
        let entry = self.entries[position];
        loop {
            let mut child = 2 * position + 1;
            if child >= self.entries.len() {
                break;
            }
            if child + 1 < self.entries.len() && self.entries[child + 1].0 < self.entries[child].0 {
                child += 1;
            }
            if entry.0 <= self.entries[child].0 {
                break;
            }
            self.put(position, self.entries[child]);
            position = child;
        }
        self.put(position, entry);
    }

    fn put(&mut self, position: usize, entry: (K, u32)) {
        self.entries[position] = entry;
        self.positions[entry.1 as usize] = position as u32;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_heap_equals_a_sorted_map(steps in prop::collection::vec((0u32..40, 0u8..50, any::<bool>()), 1..300)) {
            let mut heap = IndexedHeap::new();
            let mut map = BTreeMap::new();
            for (item, key, out) in steps {
                if out {
                    heap.remove(item);
                    map.remove(&item);
                } else {
                    heap.set(item, (key, item));
                    map.insert(item, (key, item));
                }
                let least = map.values().min().map(|&key| (key, key.1));
                prop_assert_eq!(heap.first(), least);
                prop_assert_eq!(heap.contains(item), map.contains_key(&item));
            }
        }
    }
}
