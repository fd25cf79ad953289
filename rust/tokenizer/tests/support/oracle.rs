//! The oracles: `tiktoken-rs` as the reference where it does not fail, and the naive tokenizer for every text.

use std::collections::HashSet;
use std::sync::OnceLock;

use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer, naive::Naive};
use tiktoken_rs::CoreBPE;

/// One encoding of each vocabulary and pattern; the other two differ in special tokens only.
pub const DISTINCT: [Encoding; 4] =
    [Encoding::R50kBase, Encoding::P50kBase, Encoding::Cl100kBase, Encoding::O200kBase];

/// The reference implementation of `encoding`.
pub fn reference(encoding: Encoding) -> &'static CoreBPE {
    match encoding {
        Encoding::R50kBase => tiktoken_rs::r50k_base_singleton(),
        Encoding::P50kBase => tiktoken_rs::p50k_base_singleton(),
        Encoding::P50kEdit => tiktoken_rs::p50k_edit_singleton(),
        Encoding::Cl100kBase => tiktoken_rs::cl100k_base_singleton(),
        Encoding::O200kBase => tiktoken_rs::o200k_base_singleton(),
        Encoding::O200kHarmony => tiktoken_rs::o200k_harmony_singleton(),
    }
}

/// Ids of `text` by the reference, or `None` if its regular expressions fail.
///
/// `encode_ordinary` panics on such texts; `encode` without special tokens returns the same ids and, instead of a
/// panic, an error.
pub fn reference_ids(encoding: Encoding, text: &str) -> Option<Vec<u32>> {
    reference(encoding).encode(text, &HashSet::new()).ok().map(|(ids, _)| ids)
}

/// The name in tiktoken's o200k_harmony that tiktoken-rs lacks. Its id has a second name.
pub const LACKING: (&str, u32) = ("<|endofprompt|>", 200_018);

/// The special tokens of `encoding` as tiktoken knows them, sorted by name.
pub fn special_tokens(encoding: Encoding) -> &'static [(&'static str, u32)] {
    static SPECIAL: [OnceLock<Vec<(&str, u32)>>; 6] = [const { OnceLock::new() }; 6];
    SPECIAL[encoding as usize].get_or_init(|| {
        let reference = reference(encoding);
        let id = |name| reference.encode_with_special_tokens(name)[0];
        let mut special: Vec<_> =
            reference.special_tokens().into_iter().map(|name| (name, id(name))).collect();
        if encoding == Encoding::O200kHarmony {
            special.push(LACKING);
        }
        special.sort_unstable();
        special
    })
}

/// Ordinary tokens of `encoding` with their ids, read from the reference and not from the engine.
pub fn vocabulary(encoding: Encoding) -> impl Iterator<Item = (Vec<u8>, u32)> {
    let special: HashSet<u32> = special_tokens(encoding).iter().map(|&(_, id)| id).collect();
    (0..202_000)
        .filter(move |id| !special.contains(id))
        .filter_map(move |id| Some((reference(encoding).decode_bytes(&[id]).ok()?, id)))
}

/// The naive tokenizer of `encoding`, with the vocabulary of the reference.
pub fn naive(encoding: Encoding) -> &'static Naive {
    static NAIVE: [OnceLock<Naive>; 4] = [const { OnceLock::new() }; 4];
    let same = match encoding {
        Encoding::R50kBase => 0,
        Encoding::P50kBase | Encoding::P50kEdit => 1,
        Encoding::Cl100kBase => 2,
        Encoding::O200kBase | Encoding::O200kHarmony => 3,
    };
    NAIVE[same].get_or_init(|| Naive::new(DISTINCT[same], vocabulary(DISTINCT[same])))
}

/// Ids of `text` by the engine under test, as ordinary text.
pub fn ids(encoding: Encoding, text: &str) -> Vec<u32> {
    Tokenizer::get(encoding)
        .encode(text, SpecialTokenMode::Text)
        .expect("ordinary text never fails")
}

/// Fails unless engine, reference and naive tokenizer agree on `text` as ordinary text.
#[track_caller]
pub fn assert_exact(encoding: Encoding, text: &str) {
    let engine = ids(encoding, text);
    let naive = naive(encoding).encode(text);
    assert_eq!(engine, naive, "engine and naive differ: {} {text:?}", encoding.name());
    if let Some(reference) = reference_ids(encoding, text) {
        assert_eq!(engine, reference, "engine and reference differ: {} {text:?}", encoding.name());
    }
}
