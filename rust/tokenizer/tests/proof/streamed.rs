//! The incremental counter against counting the whole text again, after every push.

use proptest::prelude::*;
use sluice_tokenizer::{Counter, Encoding, SpecialTokenMode, Tokenizer};

use crate::support::oracle::DISTINCT;
use crate::support::pathological::MAKERS;
use crate::support::texts::{ATOMS, Rng, push_fragment, strategy};

const LONE: &str = "\u{fffd}";

/// An unoptimised build runs fewer cases.
const FAST: bool = cfg!(debug_assertions);

/// Fails unless the counter and a new count agree.
#[track_caller]
fn push(
    counter: &mut Counter,
    whole: &mut String,
    part: &str,
    encoding: Encoding,
    mode: SpecialTokenMode,
) {
    whole.push_str(part);
    let expected = Tokenizer::get(encoding).count(whole, mode);
    let at = whole.len().saturating_sub(120);
    let tail: String = whole.char_indices().filter(|(i, _)| *i >= at).map(|(_, c)| c).collect();
    assert_eq!(counter.push(part), expected, "{} …{tail:?} + {part:?}", encoding.name());
}

/// Pushes `text` character by character, and peeks at the count with a lone surrogate after each.
#[track_caller]
fn by_characters(encoding: Encoding, text: &str, mode: SpecialTokenMode) {
    let tokenizer = Tokenizer::get(encoding);
    let mut counter = tokenizer.counter(mode);
    let mut whole = String::new();
    for char in text.chars() {
        push(&mut counter, &mut whole, char.encode_utf8(&mut [0; 4]), encoding, mode);
        if let Ok(peeked) = counter.peek(LONE) {
            let lone = format!("{whole}{LONE}");
            assert_eq!(Ok(peeked), tokenizer.count(&lone, mode), "{} {lone:?}", encoding.name());
        }
    }
}

/// Pushes `text` in parts of random length, up to `most` characters.
#[track_caller]
fn by_parts(encoding: Encoding, text: &str, most: usize, seed: u64, mode: SpecialTokenMode) {
    let mut rng = Rng(seed);
    let mut counter = Tokenizer::get(encoding).counter(mode);
    let mut whole = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.char_indices().nth(1 + rng.below(most)).map_or(rest.len(), |(at, _)| at);
        let (part, after) = rest.split_at(length);
        push(&mut counter, &mut whole, part, encoding, mode);
        rest = after;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: crate::cases(if FAST { 300 } else { 2_000 }),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_character_by_character(text in strategy()) {
        for encoding in DISTINCT {
            by_characters(encoding, &text, SpecialTokenMode::Text);
        }
    }

    #[test]
    fn any_text_in_any_parts(text in strategy(), most in 1..40usize, seed in any::<u64>()) {
        for encoding in DISTINCT {
            by_parts(encoding, &text, most, seed, SpecialTokenMode::Text);
        }
    }

    #[test]
    fn special_tokens_divided_anywhere(
        atoms in prop::collection::vec(
            prop::sample::select(vec![
                "<|endoftext|>", "<|endofprompt|>", "<|fim_prefix|>", "<|start|>", "<|", "|>", "<",
                "<|reserved_200018|>", "<|endoftext", "|", ">", " ", "  ", "\n", "a", "AB", "中", "'s", "12",
            ]),
            0..12,
        ),
        most in 1..20usize,
        seed in any::<u64>(),
    ) {
        let text = atoms.concat();
        for encoding in Encoding::ALL {
            for mode in [SpecialTokenMode::Allow, SpecialTokenMode::Error] {
                by_characters(encoding, &text, mode);
                by_parts(encoding, &text, most, seed, mode);
            }
        }
    }
}

/// Every sequence of atoms for which the patterns look ahead.
#[test]
fn every_short_sequence_of_distinct_classes() {
    let atoms =
        ["a", "s", "R", "E", "中", "\u{301}", "1", " ", "\t", "\n", "/", "'", "!", "ſ", "L"];
    let length = if FAST { 4 } else { 5 };
    for number in 0..atoms.len().pow(length) {
        let mut text = String::new();
        let mut left = number;
        for _ in 0..length {
            text.push_str(atoms[left % atoms.len()]);
            left /= atoms.len();
        }
        for encoding in [Encoding::R50kBase, Encoding::Cl100kBase, Encoding::O200kBase] {
            let tokenizer = Tokenizer::get(encoding);
            let mut counter = tokenizer.counter(SpecialTokenMode::Text);
            let mut end = 0;
            for char in text.chars() {
                end += char.len_utf8();
                let count = counter.push(&text[end - char.len_utf8()..end]);
                let expected = tokenizer.count(&text[..end], SpecialTokenMode::Text);
                assert_eq!(count, expected, "{} {:?}", encoding.name(), &text[..end]);
            }
        }
    }
}

/// Runs of one or a few atoms, much longer than open parts that are counted anew, followed by each atom.
#[test]
fn long_pre_tokens_of_all_atoms() {
    for encoding in DISTINCT {
        for (number, unit) in ATOMS.iter().enumerate().step_by(if FAST { 5 } else { 1 }) {
            let next = ATOMS[(number * 7 + 3) % ATOMS.len()];
            let text = format!("x{}{next}{}", unit.repeat(150), unit.repeat(20));
            by_characters(encoding, &text, SpecialTokenMode::Text);
        }
        for (_, make) in MAKERS {
            by_parts(encoding, &make(if FAST { 600 } else { 3_000 }), 9, 1, SpecialTokenMode::Text);
        }
        // "ºC" is a token of o200k, and two pre-tokens unless a lower-case letter follows.
        for end in ["ºC", "ºCC", "ºCCb", "ºC1", "ºC's", "ºC'x", "\n ", "\n \n  x", "'re", "'r'"]
        {
            for start in ["A", "中", "a", " ", "\n", "/", "Bº"] {
                let text = start.repeat(120) + end;
                by_characters(encoding, &text, SpecialTokenMode::Text);
                by_parts(encoding, &text, 50, 2, SpecialTokenMode::Text);
            }
        }
        let mut rng = Rng(5);
        for seed in 0..if FAST { 4 } else { 40 } {
            // Words and runs of white space, at which patterns backtrack the most.
            let mut text = String::new();
            let units: [&[&str]; 4] = [
                &["A", "中", "A", "B"],
                &[" ", "\n", "\t", " "],
                &["a", "A", "中", "\u{301}"],
                ATOMS,
            ];
            let units = units[seed % 4];
            for _ in 0..400 {
                let unit = rng.choose(units);
                text.push_str(&unit.repeat(1 + rng.below(90)));
                if rng.below(40) == 0 {
                    push_fragment(&mut rng, &mut text);
                }
                if text.len() > 3_000 {
                    break;
                }
            }
            by_parts(encoding, &text, 30, seed as u64, SpecialTokenMode::Text);
            let start: String = text.chars().take(600).collect();
            by_characters(encoding, &start, SpecialTokenMode::Text);
        }
    }
}

#[test]
fn errors_persist_until_the_counter_is_reset() {
    let tokenizer = Tokenizer::get(Encoding::O200kBase);
    let mut counter = tokenizer.counter(SpecialTokenMode::Error);
    assert_eq!(
        counter.push("Hello <|endof"),
        tokenizer.count("Hello <|endof", SpecialTokenMode::Error)
    );
    let refused = counter.push("text|> x");
    assert_eq!(refused, tokenizer.count("Hello <|endoftext|> x", SpecialTokenMode::Error));
    assert_eq!(counter.push(""), refused);
    assert_eq!(counter.push(" <|endoftext|>"), refused);
    counter.reset();
    assert_eq!(counter.push("text|>"), tokenizer.count("text|>", SpecialTokenMode::Error));
    counter.reset();
    assert_eq!(counter.push(""), Ok(0));
}
