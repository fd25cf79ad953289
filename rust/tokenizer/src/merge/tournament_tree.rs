//! Merging with a tournament tree: the pair of lowest rank is at the root, in O(n log n) for n bytes.
//!
//! The leaves hold the ranks of the pairs from left to right, and every inner node holds the lesser of its two
//! children. Tokens are a doubly linked list over the indices of their first bytes.

use super::array_scan::initial_tokens;
use crate::vocab::{NONE, Vocabulary};

/// Working memory. For `2^k`, at least the number of bytes of the pre-token, `ids` and `links` have `2^k` elements
/// and `tree` has twice as many.
pub(crate) struct Space<'a> {
    /// The token at each index.
    pub(crate) ids: &'a mut [u32],
    /// The indices of the tokens before and after it.
    pub(crate) links: &'a mut [[u32; 2]],
    /// The leaves, in the second half: the token that each token merges to with the next one. Node `i` is the
    /// lesser of nodes `2 i` and `2 i + 1`.
    pub(crate) tree: &'a mut [u32],
}

const END: u32 = u32::MAX;

/// Writes the tokens of `pre_token`, which is not empty, to the beginning of `space.ids` and returns their number.
#[inline(never)]
pub(crate) fn merge_tree(vocabulary: &Vocabulary, pre_token: &[u8], space: Space<'_>) -> usize {
    let Space { ids, links, tree } = space;
    let pairs = vocabulary.pairs();
    let leaves = tree.len() / 2;
    tree[leaves..].fill(NONE);
    let count = initial_tokens(vocabulary, pre_token, ids);
    for at in 0..count {
        links[at] = [(at as u32).wrapping_sub(1), at as u32 + 1];
        if at + 1 < count {
            tree[leaves + at] = pairs.candidate(ids[at], ids[at + 1]);
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
            // The left child if both are equal.
            node += usize::from(tree[node] > tree[node + 1]);
        }
        let at = node - leaves;
        let right = links[at][1] as usize;
        let merged = tree[node];
        if !pairs.is_merge(merged, ids[at], ids[right]) {
            set(tree, at, NONE);
            continue;
        }
        ids[at] = merged;
        set(tree, right, NONE);
        let [before, _] = links[at];
        let [_, after] = links[right];
        links[at][1] = after;
        let with_after = if after == END {
            NONE
        } else {
            links[after as usize][0] = at as u32;
            pairs.candidate(merged, ids[after as usize])
        };
        set(tree, at, with_after);
        if before != END {
            set(tree, before as usize, pairs.candidate(ids[before as usize], merged));
        }
    }
    let mut found = 0;
    let mut at = 0;
    while at != END {
        ids[found] = ids[at as usize];
        at = links[at as usize][1];
        found += 1;
    }
    found
}

/// Sets a leaf and updates the nodes above it.
fn set(tree: &mut [u32], leaf: usize, merged: u32) {
    let mut node = tree.len() / 2 + leaf;
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
