//! The oracle: a naive exact tokenizer by regular expressions and hash maps, for tests, benchmarks and fuzzing.
//!
//! It shares no code with the engine. Texts are split by a regex engine that cannot overflow its stack. Pre-tokens
//! are merged by the definition: scan all adjacent pairs, merge the one of lowest rank, repeat. That is quadratic in
//! the length of a pre-token, so those of more than [`TEXTBOOK_LIMIT`] bytes are merged with a heap instead; a unit
//! test compares the two.
//!
//! The vocabulary is an argument, so that a test can provide one that the engine does not have.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use regex_automata::{Anchored, Input, meta::Regex};

use crate::tokenizer::encoding::Encoding;

/// Pre-tokens of at most this many bytes are merged by the definition.
pub const TEXTBOOK_LIMIT: usize = 256;

/// No token: greater than the rank of every token.
const NO_RANK: u32 = u32::MAX;

/// The patterns of tiktoken without look-ahead and without possessive quantifiers.
///
/// Possessive quantifiers only avoid backtracking there: the rest of the pattern after each of them can never match
/// the characters that it took. The look-ahead `\s+(?!\S)` and the alternatives after it are written in Rust, in
/// [`Naive::pre_token_end`].
const R50K: &str = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+$";
const CL100K: &str = concat!(
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+$|\s*[\r\n]",
);
const O200K: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+$",
);

/// One encoding.
#[derive(Debug)]
pub struct Naive {
    /// The rank of every token, by its bytes. The id of a token is its rank.
    ranks: HashMap<Vec<u8>, u32>,
    /// The pattern without the alternatives for white space before a non-space.
    pattern: Regex,
}

impl Naive {
    /// The oracle of `encoding`, from the bytes and ids of its ordinary tokens.
    ///
    /// # Panics
    /// If one of the patterns above is not a regular expression.
    #[allow(clippy::expect_used, reason = "three constant patterns, tested")]
    pub fn new(encoding: Encoding, vocabulary: impl IntoIterator<Item = (Vec<u8>, u32)>) -> Self {
        let pattern = match encoding {
            Encoding::R50kBase | Encoding::P50kBase | Encoding::P50kEdit => R50K,
            Encoding::Cl100kBase => CL100K,
            Encoding::O200kBase | Encoding::O200kHarmony => O200K,
        };
        Self {
            ranks: vocabulary.into_iter().collect(),
            pattern: Regex::new(pattern).expect("a valid pattern"),
        }
    }

    /// The ids of `text`. Names of special tokens are ordinary text.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        for pre_token in self.pre_tokens(text) {
            match self.ranks.get(pre_token.as_bytes()) {
                Some(&id) => ids.push(id),
                None if pre_token.len() <= TEXTBOOK_LIMIT => {
                    self.merge_textbook(pre_token, &mut ids)
                }
                None => self.merge_heap(pre_token, &mut ids),
            }
        }
        ids
    }

    /// The ids of `text`. Every name in `special` is encoded as its id.
    pub fn encode_allowing(&self, text: &str, special: &[(&str, u32)]) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut rest = text;
        loop {
            let first = special
                .iter()
                .filter_map(|&(name, id)| rest.find(name).map(|at| (at, name, id)))
                .min_by_key(|&(at, ..)| at);
            let Some((at, name, id)) = first else { break };
            ids.extend(self.encode(&rest[..at]));
            ids.push(id);
            rest = &rest[at + name.len()..];
        }
        ids.extend(self.encode(rest));
        ids
    }

    /// The pre-tokens of `text` in order. Concatenated, they are `text`.
    pub fn pre_tokens<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let mut start = 0;
        std::iter::from_fn(move || {
            if start == text.len() {
                return None;
            }
            let pre_token = &text[start..self.pre_token_end(text, start)];
            start += pre_token.len();
            Some(pre_token)
        })
    }

    /// The end of the pre-token that begins at `start`.
    fn pre_token_end(&self, text: &str, start: usize) -> usize {
        let input = Input::new(text).range(start..).anchored(Anchored::Yes);
        if let Some(found) = self.pattern.search_half(&input) {
            return found.offset();
        }
        // White space before a non-space: `\s+(?!\S)` matches all but the last character, and if there is only one,
        // the last alternative matches that.
        let rest = &text[start..];
        let run = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
        let last = rest[..run].char_indices().next_back().map_or(0, |(at, _)| at);
        start + if last == 0 { run } else { last }
    }

    /// Merges by scanning all pairs again after every merge. O(n²).
    fn merge_textbook(&self, pre_token: &str, ids: &mut Vec<u32>) {
        let bytes = pre_token.as_bytes();
        // Token boundaries, including both ends of the pre-token.
        let mut bounds: Vec<usize> = (0..=bytes.len()).collect();
        loop {
            let ranks = bounds.windows(3).map(|pair| self.rank(&bytes[pair[0]..pair[2]]));
            // Of equal ranks, `min_by_key` keeps the first: the leftmost pair.
            match ranks.enumerate().min_by_key(|&(_, rank)| rank) {
                Some((at, rank)) if rank != NO_RANK => bounds.remove(at + 1),
                _ => break,
            };
        }
        ids.extend(bounds.windows(2).map(|token| self.rank(&bytes[token[0]..token[1]])));
    }

    /// Merges with a heap of candidate pairs. Outdated candidates are recognised by their length. O(n log n).
    fn merge_heap(&self, pre_token: &str, ids: &mut Vec<u32>) {
        let bytes = pre_token.as_bytes();
        let n = bytes.len();
        // For a token that starts at `i`: its end, and the start of the token before it. An `end` of 0 marks a byte
        // that no longer starts a token.
        let mut end: Vec<usize> = (1..=n).collect();
        let mut previous: Vec<usize> = (0..n).map(|i| i.saturating_sub(1)).collect();
        let mut heap: BinaryHeap<Reverse<(u32, usize, usize)>> = BinaryHeap::new();
        let push = |heap: &mut BinaryHeap<_>, start: usize, stop: usize| {
            let rank = self.rank(&bytes[start..stop]);
            if rank != NO_RANK {
                heap.push(Reverse((rank, start, stop)));
            }
        };
        (0..n - 1).for_each(|i| push(&mut heap, i, i + 2));
        while let Some(Reverse((_, start, stop))) = heap.pop() {
            let middle = end[start];
            if middle == 0 || middle >= stop || end[middle] != stop {
                continue;
            }
            end[start] = stop;
            end[middle] = 0;
            if stop < n {
                previous[stop] = start;
                push(&mut heap, start, end[stop]);
            }
            if start > 0 {
                push(&mut heap, previous[start], stop);
            }
        }
        let mut start = 0;
        while start < n {
            ids.push(self.rank(&bytes[start..end[start]]));
            start = end[start];
        }
    }

    fn rank(&self, token: &[u8]) -> u32 {
        self.ranks.get(token).copied().unwrap_or(NO_RANK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All single bytes, and a few merges in the order of their ranks.
    fn toy(encoding: Encoding) -> Naive {
        let merges = ["ab", "cd", "abcd", "aa", "aaaa", "  ", "ba"];
        let bytes = (0..=255u8).map(|byte| vec![byte]);
        let tokens = bytes.chain(merges.iter().map(|token| token.as_bytes().to_vec()));
        Naive::new(encoding, tokens.zip(0..))
    }

    #[test]
    fn pre_tokens_follow_the_pattern_of_each_family() {
        let text = "It's  12345\n x!\n/ ";
        let split = |encoding| toy(encoding).pre_tokens(text).collect::<Vec<_>>();
        assert_eq!(
            split(Encoding::R50kBase),
            ["It", "'s", " ", " 12345", "\n", " x", "!", "\n", "/", " "].map(String::from)
        );
        assert_eq!(
            split(Encoding::Cl100kBase),
            ["It", "'s", " ", " ", "123", "45", "\n", " x", "!\n", "/", " "].map(String::from)
        );
        assert_eq!(
            split(Encoding::O200kBase),
            ["It's", " ", " ", "123", "45", "\n", " x", "!\n/", " "].map(String::from)
        );
    }

    #[test]
    fn the_lowest_rank_merges_first_and_the_leftmost_of_equals() {
        let naive = toy(Encoding::R50kBase);
        let ids = |text| naive.encode(text);
        let [ab, abcd, aa] = [256, 258, 259];
        assert_eq!(ids("abcd"), [abcd]);
        assert_eq!(ids("aab"), [97, ab]);
        assert_eq!(ids("aaa"), [aa, 97]);
    }

    #[test]
    fn heap_and_textbook_agree() {
        let naive = toy(Encoding::R50kBase);
        let mut state = 1u32;
        for length in 1..200 {
            let mut pre_token = String::new();
            for _ in 0..length {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                pre_token.push(char::from(b"abcd"[(state >> 24) as usize % 4]));
            }
            let (mut textbook, mut heap) = (Vec::new(), Vec::new());
            naive.merge_textbook(&pre_token, &mut textbook);
            naive.merge_heap(&pre_token, &mut heap);
            assert_eq!(textbook, heap, "{pre_token}");
        }
    }

    #[test]
    fn special_names_split_the_text_into_segments() {
        let naive = toy(Encoding::R50kBase);
        let special = [("<|x|>", 1000), ("<|y|>", 1001)];
        assert_eq!(
            naive.encode_allowing("ab  <|y|><|x|>ab", &special),
            [256, 261, 1001, 1000, 256]
        );
        assert_eq!(naive.encode_allowing("<|x|", &special), naive.encode("<|x|"));
    }
}
