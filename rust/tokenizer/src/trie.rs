//! Longest-prefix search over a vocabulary, in a double-array trie laid out at build time.
//!
//! The layout is described where it is made, in `build/trie.rs`. A search costs one eight-byte
//! load per byte of the match, but the first two bytes are taken in one step.

/// The longest token of any vocabulary has this many bytes.
pub(crate) const LONGEST_TOKEN: usize = 128;

/// A token that begins a text, with its length.
#[derive(Clone, Copy)]
pub(crate) struct Prefix {
    pub(crate) id: u32,
    pub(crate) length: usize,
}

/// The tokens of a vocabulary as a trie.
pub(crate) struct Trie {
    nodes: &'static [[u8; 8]],
    /// By the first two bytes, the node they lead to, or 0 if there is none.
    second: Box<[u64]>,
    /// By the first byte, the id of the token that it is.
    first: [u32; 256],
    /// Ids from here on are not part of the vocabulary, although the trie holds them.
    limit: u32,
}

/// What a node says, see `build/trie.rs`.
const fn base(node: u64) -> usize {
    (node >> 9 & 0x7F_FFFF) as usize
}

const fn token(node: u64) -> u32 {
    ((node >> 32) as u32).wrapping_sub(1)
}

impl Trie {
    /// The trie in `data` without the ids from `limit` on. Whether there are any is told by
    /// `is_part`, as it costs a search of the trie to find where none but they are left.
    pub(crate) fn new(data: &'static [u8], limit: u32, is_part: bool) -> Self {
        let nodes = data.as_chunks().0;
        let mut trie = Self { nodes, second: vec![0; 1 << 16].into(), first: [0; 256], limit };
        let root = u64::from_le_bytes(nodes[0]);
        for first in 0..=255 {
            let Some(node) = trie.child(root, first) else { continue };
            trie.first[usize::from(first)] = token(node);
            for second in 0..=255 {
                if let Some(child) = trie.child(node, second)
                    && (!is_part || trie.leads_to_token(child))
                {
                    trie.second[usize::from(first) | usize::from(second) << 8] = child;
                }
            }
        }
        trie
    }

    /// Whether a token of the vocabulary ends at `node` or further on.
    fn leads_to_token(&self, node: u64) -> bool {
        token(node) < self.limit
            || (0..=255).filter_map(|byte| self.child(node, byte)).any(|c| self.leads_to_token(c))
    }

    #[inline(always)]
    fn child(&self, node: u64, byte: u8) -> Option<u64> {
        let child = u64::from_le_bytes(*self.nodes.get(base(node) ^ usize::from(byte))?);
        (child & 511 == u64::from(byte)).then_some(child)
    }

    /// The longest token that begins `text`, which is not empty. There always is one, as every
    /// byte is a token.
    #[inline(always)]
    pub(crate) fn longest(&self, text: &[u8]) -> Prefix {
        let mut longest = Prefix { id: self.first[usize::from(text[0])], length: 1 };
        let [first, second, rest @ ..] = text else { return longest };
        let mut node = self.second[usize::from(*first) | usize::from(*second) << 8];
        if node == 0 {
            return longest;
        }
        let mut length = 2;
        let mut rest = rest.iter();
        loop {
            if token(node) < self.limit {
                longest = Prefix { id: token(node), length };
            }
            let Some(child) = rest.next().and_then(|&byte| self.child(node, byte)) else {
                return longest;
            };
            node = child;
            length += 1;
        }
    }

    /// The longest few of the tokens that begin `text`.
    #[inline(always)]
    pub(crate) fn prefixes(&self, text: &[u8]) -> Prefixes {
        let mut prefixes = Prefixes { last: [Prefix { id: 0, length: 0 }; 8], found: 0, left: 0 };
        let mut node = u64::from_le_bytes(self.nodes[0]);
        for (place, &byte) in text.iter().enumerate() {
            let Some(child) = self.child(node, byte) else { break };
            if token(child) < self.limit {
                let prefix = Prefix { id: token(child), length: place + 1 };
                prefixes.last[prefixes.found % 8] = prefix;
                prefixes.found += 1;
            }
            node = child;
        }
        prefixes.left = prefixes.found.min(8);
        prefixes
    }
}

/// Some tokens that begin a text, one the beginning of the next, up to the longest; as an iterator
/// from the longest on.
pub(crate) struct Prefixes {
    /// A ring of the last ones found.
    last: [Prefix; 8],
    found: usize,
    left: usize,
}

impl Iterator for Prefixes {
    type Item = Prefix;

    #[inline(always)]
    fn next(&mut self) -> Option<Prefix> {
        self.left = self.left.checked_sub(1)?;
        self.found -= 1;
        Some(self.last[self.found % 8])
    }
}
