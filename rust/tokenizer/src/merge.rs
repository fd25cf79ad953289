//! Merging the bytes of one piece into tokens, in linear time.
//!
//! Byte pair encoding is defined by a process: merge the pair of lowest rank, leftmost first,
//! until no pair is left. But its result can be told without the process: a sequence of tokens is
//! the encoding of its bytes exactly if every two neighbours stay apart when they alone are
//! merged ([`Vocabulary::stay_apart`]), and there is only one such sequence. So the longest token
//! that fits its predecessor is taken, then the next, and where none fits, the last one is taken
//! back and the next shorter one tried. A place where no token fits is dead for good, since only
//! one sequence leads there: every place is left at most once, and the cost is O(n).
//!
//! Pieces longer than a window are taken window by window, so that the work space is bounded: a
//! window begins with a token that the one before has ended with, and if both agree on that
//! token, their sequences together have only fitting neighbours and are the encoding. Where they
//! do not, which no known text brings about, the piece is encoded in one go.

use crate::{recent::Seams, sink::Sink, vocabulary::Vocabulary};

/// Pieces of up to this many bytes are merged by [`merge_short`].
pub(crate) const SHORT: usize = 63;

/// The length of a window of a long piece.
const WINDOW: usize = 2048;
/// Tokens that end this near the end of a window are left to the next window.
const MARGIN: usize = 512;

/// Writes the tokens of `piece`, of 1 to 63 bytes, into `tokens` and says how many they are.
#[inline(never)]
pub(crate) fn merge_short(
    vocabulary: &Vocabulary,
    piece: &[u8],
    tokens: &mut [u32; SHORT],
    seams: Option<&mut Seams>,
) -> usize {
    encode_with(vocabulary, piece, tokens, &mut [0], seams)
}

/// Gives the tokens of `piece`, of any length but 0, to `sink`.
#[inline(never)]
pub(crate) fn merge_long<S: Sink>(
    vocabulary: &Vocabulary,
    piece: &[u8],
    mut seams: Option<&mut Seams>,
    sink: &mut S,
) {
    let mut tokens = [0; WINDOW];
    let mut start = 0;
    let mut seam = None;
    let mark = sink.mark();
    let mut last: &[u8] = &[];
    let mut found = 0;
    loop {
        let rest = &piece[start..];
        let window = &rest[..rest.len().min(WINDOW)];
        // Very long pieces are mostly repetitions, whose windows are all alike.
        if window != last {
            let mut dead = [0; WINDOW / 64 + 1];
            let seams = seams.as_deref_mut();
            found = encode_window(vocabulary, window, &mut tokens, &mut dead, seams);
            last = window;
        }
        if seam.is_some_and(|token| token != tokens[0]) {
            sink.rewind(mark);
            return merge_whole(vocabulary, piece, sink);
        }
        if window.len() == rest.len() {
            return sink.tokens(&tokens[..found]);
        }
        let mut kept = 0;
        let mut end = 0;
        loop {
            let length = vocabulary.length(tokens[kept]);
            if end + length > WINDOW - MARGIN {
                break;
            }
            end += length;
            kept += 1;
        }
        sink.tokens(&tokens[..kept]);
        if sink.is_satisfied() {
            return;
        }
        seam = Some(tokens[kept]);
        start += end;
    }
}

#[cold]
fn merge_whole<S: Sink>(vocabulary: &Vocabulary, piece: &[u8], sink: &mut S) {
    let mut tokens = vec![0; piece.len()];
    let mut dead = vec![0; piece.len() / 64 + 1];
    let found = encode_window(vocabulary, piece, &mut tokens, &mut dead, None);
    sink.tokens(&tokens[..found]);
}

#[inline(never)]
fn encode_window(
    vocabulary: &Vocabulary,
    piece: &[u8],
    tokens: &mut [u32],
    dead: &mut [u64],
    seams: Option<&mut Seams>,
) -> usize {
    encode_with(vocabulary, piece, tokens, dead, seams)
}

#[inline(always)]
fn encode_with(
    vocabulary: &Vocabulary,
    piece: &[u8],
    tokens: &mut [u32],
    dead: &mut [u64],
    seams: Option<&mut Seams>,
) -> usize {
    match seams {
        Some(seams) => encode(vocabulary, piece, tokens, dead, |left, right| {
            seams.stay_apart(vocabulary, left, right)
        }),
        None => encode(vocabulary, piece, tokens, dead, |left, right| {
            vocabulary.stay_apart(left, right)
        }),
    }
}

/// Writes the encoding of `piece` into `tokens` and says how many they are. `dead` has a zero bit
/// for every place in the piece, its end included.
#[inline(always)]
fn encode(
    vocabulary: &Vocabulary,
    piece: &[u8],
    tokens: &mut [u32],
    dead: &mut [u64],
    mut stay_apart: impl FnMut(u32, u32) -> bool,
) -> usize {
    let mut found = 0;
    let mut at = 0;
    while at < piece.len() {
        let longest = vocabulary.longest(&piece[at..]);
        let end = at + longest.length;
        let is_dead = dead[end / 64] >> (end % 64) & 1 == 1;
        if !is_dead && (found == 0 || stay_apart(tokens[found - 1], longest.id)) {
            tokens[found] = longest.id;
            found += 1;
            at = end;
            continue;
        }
        // Shorter tokens, below `shorter` bytes; several at a time, since one search finds them.
        let mut shorter = longest.length;
        let mut prefixes = vocabulary.prefixes(&piece[at..at + shorter - 1]);
        loop {
            let Some(candidate) = prefixes.next() else {
                if shorter == 1 {
                    dead[at / 64] |= 1 << (at % 64);
                    if found == 0 {
                        // Not reached: some sequence of tokens always fits.
                        return 0;
                    }
                    found -= 1;
                    shorter = vocabulary.length(tokens[found]);
                    at -= shorter;
                }
                prefixes = vocabulary.prefixes(&piece[at..at + shorter - 1]);
                continue;
            };
            shorter = candidate.length;
            let end = at + candidate.length;
            let is_dead = dead[end / 64] >> (end % 64) & 1 == 1;
            if !is_dead && (found == 0 || stay_apart(tokens[found - 1], candidate.id)) {
                tokens[found] = candidate.id;
                found += 1;
                at = end;
                break;
            }
        }
    }
    found
}
