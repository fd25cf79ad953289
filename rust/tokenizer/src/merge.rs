//! Merging the bytes of one piece into tokens, in linear time.
//!
//! Byte pair encoding is defined by a process: merge the pair of lowest rank, leftmost first,
//! until no pair is left. Up to 63 bytes go through that process as they are ([`merge_flat`]).
//!
//! A longer piece is taken window by window. For the result of the process can be told without
//! it: a sequence of tokens is the encoding of its bytes exactly if every two neighbours stay
//! apart when they alone are merged, and there is only one such sequence. So when a window begins
//! with a token that the one before has ended with, and both agree on that token, their sequences
//! together have only fitting neighbours and are the encoding of both windows. Where they do not
//! agree, as in a long run of dashes, whose tokens are longer than the window, the piece is begun
//! again with windows of 2,048 bytes; and where those do not agree, which no known text brings
//! about, it is encoded in one go. A window costs as much as its length, or that times its
//! logarithm, so a piece costs O(n), but for the last resort's O(n log n).

use crate::{
    error::Error,
    flat::{SHORT, merge_flat},
    simd::Processor,
    sink::Sink,
    tree::{Space, merge_tree},
    vocabulary::Vocabulary,
};

/// Tokens that end this near the end of a short window are left to the next window. With 16 a
/// megabyte of random characters takes 5 to 8 % longer; with 8, some windows do not agree.
const SHORT_MARGIN: usize = 12;
/// The length of the longer windows.
const WINDOW: usize = 2048;
const MARGIN: usize = 512;

/// Gives the tokens of `piece`, of any length but 0, to `sink`.
#[inline(never)]
pub(crate) fn merge_long<S: Sink, C: Processor>(
    vocabulary: &Vocabulary,
    piece: &[u8],
    sink: &mut S,
    processor: C,
) {
    let mark = sink.mark();
    let mut tokens = [0; SHORT + 1];
    let is_done =
        by_windows(vocabulary, piece, sink, &mut tokens, (SHORT, SHORT_MARGIN), |window, to| {
            merge_flat(vocabulary, window, to, 1, processor)
        });
    // Short windows may not agree further on, so they cannot tell that there are enough tokens.
    if !is_done || sink.is_satisfied() {
        sink.rewind(mark);
        merge_longer(vocabulary, piece, sink);
    }
}

#[cold]
fn merge_longer<S: Sink>(vocabulary: &Vocabulary, piece: &[u8], sink: &mut S) {
    let mark = sink.mark();
    let mut tokens = [0; WINDOW];
    let (mut links, mut tree) = ([[0; 2]; WINDOW], [0; 2 * WINDOW]);
    let is_done =
        by_windows(vocabulary, piece, sink, &mut tokens, (WINDOW, MARGIN), |window, to| {
            merge_tree(vocabulary, window, Space { ids: to, links: &mut links, tree: &mut tree })
        });
    if !is_done {
        sink.rewind(mark);
        merge_whole(vocabulary, piece, sink);
    }
}

#[cold]
fn merge_whole<S: Sink>(vocabulary: &Vocabulary, piece: &[u8], sink: &mut S) {
    let places = piece.len().next_power_of_two();
    let (mut ids, mut links, mut tree) = (zeros(places), zeros(places), zeros(2 * places));
    let space = Space { ids: &mut ids, links: &mut links, tree: &mut tree };
    let found = merge_tree(vocabulary, piece, space);
    sink.tokens(&ids[..found]);
}

/// No text is known that comes here, so no caller has a way for this failure: it unwinds, as a panic
/// does, and whoever catches that finds the error in it.
fn zeros<T: bytemuck::Zeroable>(length: usize) -> Vec<T> {
    bytemuck::allocation::try_zeroed_vec(length)
        .unwrap_or_else(|()| std::panic::panic_any(Error::OutOfMemory))
}

/// Gives the tokens of `piece` to `sink`, window by window, until it is satisfied. Says whether
/// all windows agreed; if not, the sink has got tokens that mean nothing.
#[inline(always)]
fn by_windows<S: Sink, const ROOM: usize>(
    vocabulary: &Vocabulary,
    piece: &[u8],
    sink: &mut S,
    tokens: &mut [u32; ROOM],
    (longest, margin): (usize, usize),
    mut merge: impl FnMut(&[u8], &mut [u32; ROOM]) -> usize,
) -> bool {
    let mut start = 0;
    let mut seam = None;
    let mut last: &[u8] = &[];
    let mut found = 0;
    loop {
        let rest = &piece[start..];
        let window = &rest[..rest.len().min(longest)];
        // Very long pieces are mostly repetitions, whose windows are all alike.
        if window != last {
            found = merge(window, tokens);
            last = window;
        }
        if seam.is_some_and(|token| token != tokens[0]) {
            return false;
        }
        if window.len() == rest.len() {
            sink.tokens(&tokens[..found]);
            return true;
        }
        let mut kept = 0;
        let mut end = 0;
        while kept + 1 < found {
            let length = vocabulary.length(tokens[kept]);
            if end + length > longest - margin {
                break;
            }
            end += length;
            kept += 1;
        }
        if kept == 0 {
            return false;
        }
        sink.tokens(&tokens[..kept]);
        if sink.is_satisfied() {
            return true;
        }
        seam = Some(tokens[kept]);
        start += end;
    }
}
