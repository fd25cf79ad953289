//! Merging any number of bytes by the process that defines the encoding, in O(n log n).
//!
//! As in [`flat`](crate::flat), but the least entry is found at the root of a tree of which every
//! node holds the lesser of its two children.

use crate::{flat::begin, merges::NONE, vocabulary::Vocabulary};

/// Where the work is done: for `2^k` places at least as many as the piece has bytes, `ids` and
/// `links` have `2^k` entries and `tree` has twice as many.
pub(crate) struct Space<'a> {
    /// The token at each place.
    pub(crate) ids: &'a mut [u32],
    /// The places before and after.
    pub(crate) links: &'a mut [[u32; 2]],
    /// What each token merges to with the one after it, from the middle on; before that, the
    /// lesser of the entries at twice the index and right after it.
    pub(crate) tree: &'a mut [u32],
}

const END: u32 = u32::MAX;

/// Leaves the tokens of `piece`, which is not empty, at the beginning of `space.ids` and says how
/// many they are.
#[inline(never)]
pub(crate) fn merge_tree(vocabulary: &Vocabulary, piece: &[u8], space: Space<'_>) -> usize {
    let Space { ids, links, tree } = space;
    let leaves = tree.len() / 2;
    tree[leaves..].fill(NONE);
    let count = begin(vocabulary, piece, ids);
    for place in 0..count {
        links[place] = [(place as u32).wrapping_sub(1), place as u32 + 1];
        if place + 1 < count {
            tree[leaves + place] = vocabulary.merges().candidate(ids[place], ids[place + 1]);
        }
    }
    links[count - 1][1] = END;
    for node in (1..leaves).rev() {
        tree[node] = tree[2 * node].min(tree[2 * node + 1]);
    }
    while tree[1] != NONE {
        let mut node = 1;
        while node < leaves {
            node *= 2;
            // The left one where both are equal.
            node += usize::from(tree[node] > tree[node + 1]);
        }
        let place = node - leaves;
        let right = links[place][1] as usize;
        let merged = tree[node];
        if !vocabulary.merges().is_merge(merged, ids[place], ids[right]) {
            set(tree, place, NONE);
            continue;
        }
        ids[place] = merged;
        set(tree, right, NONE);
        let [before, _] = links[place];
        let [_, after] = links[right];
        links[place][1] = after;
        let with_after = if after == END {
            NONE
        } else {
            links[after as usize][0] = place as u32;
            vocabulary.merges().candidate(merged, ids[after as usize])
        };
        set(tree, place, with_after);
        if before != END {
            set(tree, before as usize, vocabulary.merges().candidate(ids[before as usize], merged));
        }
    }
    let mut found = 0;
    let mut place = 0;
    while place != END {
        ids[found] = ids[place as usize];
        place = links[place as usize][1];
        found += 1;
    }
    found
}

/// Changes the entry of a place.
fn set(tree: &mut [u32], place: usize, merged: u32) {
    let mut node = tree.len() / 2 + place;
    tree[node] = merged;
    while node > 1 {
        node /= 2;
        let least = tree[2 * node].min(tree[2 * node + 1]);
        if tree[node] == least {
            return;
        }
        tree[node] = least;
    }
}
