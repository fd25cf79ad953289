//! Merging of pre-tokens of any length by overlapping windows, in linear time.
//!
//! A sequence of tokens is the encoding of its bytes exactly if every two neighbours are a valid pair
//! ([`is_valid_pair`](crate::vocab::PairTable::is_valid_pair)), and there is only one such sequence. It follows that
//! two encodings, of which the first ends with the token that the second begins with, join to the encoding of the
//! whole. These are Corollaries I to III in the README of the `bpe` crate of github/rust-gems. So a window is
//! encoded, the tokens near its end are dropped, and the next window begins at the first dropped token. If the
//! encoding of the next window begins with that same token, the two join.
//!
//! If it does not, as in a long run of dashes, whose tokens are longer than the overlap, the pre-token is encoded
//! again: as a whole up to 512 bytes, and otherwise with windows of 2,048 bytes. If those do not join either, which
//! no known text causes, it is encoded as a whole. A window costs its length, or that times its logarithm. So a
//! pre-token costs O(n), except for the last resort's O(n log n).

use super::{
    array_scan::{SHORT, merge_short},
    tournament_tree::{Space, merge_tree},
};
use crate::{arch::Processor, error::Error, sink::Sink, vocab::Vocabulary};

/// Tokens that end this near the end of a short window are left to the next window. With 16, a megabyte of random
/// characters takes 5 to 8 % longer; with 8, some windows do not join.
const SHORT_MARGIN: usize = 12;
/// The greatest length that is merged as a whole on the stack.
const MEDIUM: usize = 512;
/// The length of large windows.
const LARGE: usize = 2048;
/// The margin of large windows.
const LARGE_MARGIN: usize = 512;

/// Passes the tokens of `pre_token`, which is not empty, to `sink`.
#[inline(never)]
pub(crate) fn merge_long<S: Sink, C: Processor>(
    vocabulary: &Vocabulary,
    pre_token: &[u8],
    sink: &mut S,
    cpu: C,
) {
    let mark = sink.mark();
    let mut ids = [0; SHORT + 1];
    let is_done =
        by_windows(vocabulary, pre_token, sink, &mut ids, (SHORT, SHORT_MARGIN), |window, to| {
            merge_short(vocabulary, window, to, 1, cpu)
        });
    // A later window may still fail to join, so a satisfied sink proves nothing yet.
    if !is_done || sink.is_satisfied() {
        sink.rewind(mark);
        merge_by_tree(vocabulary, pre_token, sink);
    }
}

/// Passes the tokens of a pre-token whose short windows did not join to `sink`.
#[cold]
fn merge_by_tree<S: Sink>(vocabulary: &Vocabulary, pre_token: &[u8], sink: &mut S) {
    if pre_token.len() <= MEDIUM {
        merge_medium(vocabulary, pre_token, sink);
    } else {
        merge_by_large_windows(vocabulary, pre_token, sink);
    }
}

/// As a whole, in memory on the stack. Zeroing as much as large windows need would take longer than merging.
fn merge_medium<S: Sink>(vocabulary: &Vocabulary, pre_token: &[u8], sink: &mut S) {
    let leaves = pre_token.len().next_power_of_two();
    let (mut ids, mut links, mut tree) = ([0; MEDIUM], [[0; 2]; MEDIUM], [0; 2 * MEDIUM]);
    let space = Space {
        ids: &mut ids[..leaves],
        links: &mut links[..leaves],
        tree: &mut tree[..2 * leaves],
    };
    let count = merge_tree(vocabulary, pre_token, space);
    sink.tokens(&ids[..count]);
}

fn merge_by_large_windows<S: Sink>(vocabulary: &Vocabulary, pre_token: &[u8], sink: &mut S) {
    let mark = sink.mark();
    let mut ids = [0; LARGE];
    let (mut links, mut tree) = ([[0; 2]; LARGE], [0; 2 * LARGE]);
    let is_done =
        by_windows(vocabulary, pre_token, sink, &mut ids, (LARGE, LARGE_MARGIN), |window, to| {
            merge_tree(vocabulary, window, Space { ids: to, links: &mut links, tree: &mut tree })
        });
    if !is_done {
        sink.rewind(mark);
        merge_whole(vocabulary, pre_token, sink);
    }
}

#[cold]
fn merge_whole<S: Sink>(vocabulary: &Vocabulary, pre_token: &[u8], sink: &mut S) {
    let leaves = pre_token.len().next_power_of_two();
    let (mut ids, mut links, mut tree) = (zeros(leaves), zeros(leaves), zeros(2 * leaves));
    let space = Space { ids: &mut ids, links: &mut links, tree: &mut tree };
    let count = merge_tree(vocabulary, pre_token, space);
    sink.tokens(&ids[..count]);
}

/// Zeroed memory. No known text reaches this, so no caller has a way to return the failure: it unwinds as a panic
/// does, and the payload is the error.
fn zeros<T: bytemuck::Zeroable>(length: usize) -> Vec<T> {
    bytemuck::allocation::try_zeroed_vec(length)
        .unwrap_or_else(|()| std::panic::panic_any(Error::OutOfMemory))
}

/// Passes the tokens of `pre_token` to `sink`, window by window, until it is satisfied. Whether all windows joined;
/// if not, the tokens passed so far are meaningless.
#[inline(always)]
fn by_windows<S: Sink, const ROOM: usize>(
    vocabulary: &Vocabulary,
    pre_token: &[u8],
    sink: &mut S,
    ids: &mut [u32; ROOM],
    (longest, margin): (usize, usize),
    mut merge: impl FnMut(&[u8], &mut [u32; ROOM]) -> usize,
) -> bool {
    let mut start = 0;
    let mut shared = None;
    let mut last: &[u8] = &[];
    let mut count = 0;
    loop {
        let rest = &pre_token[start..];
        let window = &rest[..rest.len().min(longest)];
        // Very long pre-tokens are mostly repetitions, whose windows are equal.
        if window != last {
            count = merge(window, ids);
            last = window;
        }
        if shared.is_some_and(|token| token != ids[0]) {
            return false;
        }
        if window.len() == rest.len() {
            sink.tokens(&ids[..count]);
            return true;
        }
        let mut kept = 0;
        let mut end = 0;
        while kept + 1 < count {
            let length = vocabulary.length(ids[kept]);
            if end + length > longest - margin {
                break;
            }
            end += length;
            kept += 1;
        }
        if kept == 0 {
            return false;
        }
        sink.tokens(&ids[..kept]);
        if sink.is_satisfied() {
            return true;
        }
        shared = Some(ids[kept]);
        start += end;
    }
}
