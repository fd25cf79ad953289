//! Longest-prefix search over a vocabulary, in a double-array trie laid out at build time.
//!
//! The layout is described where it is made, in `build/trie.rs`. A search costs one eight-byte
//! load per byte of the match.

/// The tokens of a vocabulary as a trie.
#[derive(Clone, Copy)]
pub(crate) struct Trie {
    nodes: &'static [[u8; 8]],
    /// Ids from here on are not part of the vocabulary, although the trie holds them.
    limit: u32,
}

impl Trie {
    pub(crate) fn new(data: &'static [u8], limit: u32) -> Self {
        Self { nodes: data.as_chunks().0, limit }
    }

    /// The longest token that begins `text`. There always is one when `text` is not empty, as
    /// every byte is a token.
    #[inline(always)]
    pub(crate) fn longest(&self, text: &[u8]) -> Option<u32> {
        let mut longest = None;
        let mut base = u64::from_le_bytes(self.nodes[0]) >> 9 & 0x7F_FFFF;
        for &byte in text {
            let Some(node) = self.nodes.get(base as usize ^ usize::from(byte)) else { break };
            let node = u64::from_le_bytes(*node);
            if node & 511 != u64::from(byte) {
                break;
            }
            let id = ((node >> 32) as u32).wrapping_sub(1);
            if id < self.limit {
                longest = Some(id);
            }
            base = node >> 9 & 0x7F_FFFF;
        }
        longest
    }
}
