//! A binary heap that knows where each item is, so that any item's key can change.
//!
//! Three of them order the upstreams with room, the waiters by turn and the waiters by deadline.
//! Items are small integers, given out by a slab, so "where is it" is an array.

use crate::NONE;

/// The least key is first.
#[derive(Clone, Debug)]
pub(crate) struct Heap<K> {
    entries: Vec<(K, u32)>,
    /// Where in `entries` an item is, or [`NONE`].
    places: Vec<u32>,
}

impl<K: Ord + Copy> Heap<K> {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new(), places: Vec::new() }
    }

    /// The item with the least key. O(1).
    pub(crate) fn first(&self) -> Option<(K, u32)> {
        self.entries.first().copied()
    }

    /// Whether `item` is in. O(1).
    pub(crate) fn contains(&self, item: u32) -> bool {
        self.places.get(item as usize).is_some_and(|&place| place != NONE)
    }

    /// Puts `item` in with `key`, or gives it that key. O(log n).
    pub(crate) fn set(&mut self, item: u32, key: K) {
        let index = item as usize;
        if index >= self.places.len() {
            self.places.resize(index + 1, NONE);
        }
        let place = self.places[index] as usize;
        if self.places[index] == NONE {
            self.entries.push((key, item));
            self.up(self.entries.len() - 1);
        } else {
            self.entries[place].0 = key;
            let place = self.up(place);
            self.down(place);
        }
    }

    /// Takes `item` out if it is in. O(log n).
    pub(crate) fn remove(&mut self, item: u32) {
        if !self.contains(item) {
            return;
        }
        let place = self.places[item as usize] as usize;
        self.places[item as usize] = NONE;
        let Some(last) = self.entries.pop() else { return };
        if place < self.entries.len() {
            self.entries[place] = last;
            let place = self.up(place);
            self.down(place);
        }
    }

    /// Moves the entry at `place` up to where it belongs; records its place in any case.
    fn up(&mut self, mut place: usize) -> usize {
        let entry = self.entries[place];
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.entries[parent].0 <= entry.0 {
                break;
            }
            self.put(place, self.entries[parent]);
            place = parent;
        }
        self.put(place, entry);
        place
    }

    fn down(&mut self, mut place: usize) {
        let entry = self.entries[place];
        loop {
            let mut child = 2 * place + 1;
            if child >= self.entries.len() {
                break;
            }
            if child + 1 < self.entries.len() && self.entries[child + 1].0 < self.entries[child].0 {
                child += 1;
            }
            if entry.0 <= self.entries[child].0 {
                break;
            }
            self.put(place, self.entries[child]);
            place = child;
        }
        self.put(place, entry);
    }

    fn put(&mut self, place: usize, entry: (K, u32)) {
        self.entries[place] = entry;
        self.places[entry.1 as usize] = place as u32;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_heap_is_a_sorted_map(steps in prop::collection::vec((0u32..40, 0u8..50, any::<bool>()), 1..300)) {
            let mut heap = Heap::new();
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
