//! Many threads on one tokenizer against the oracle.

use std::sync::Barrier;
use std::thread;

use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer};

use crate::support::oracle::{ids, naive};
use crate::support::pathological::MAKERS;
use crate::support::texts::{Rng, fill};

const THREADS: usize = 8;

#[test]
fn all_threads_agree_with_the_oracle() {
    let mut rng = Rng(8);
    let mut texts: Vec<String> = (0..1_500)
        .map(|_| {
            let mut text = String::new();
            fill(&mut rng, &mut text);
            text
        })
        .collect();
    texts.extend(MAKERS.iter().map(|(_, make)| make(2_000)));
    let expected: Vec<Vec<Vec<u32>>> = Encoding::ALL
        .iter()
        .map(|&encoding| texts.iter().map(|text| naive(encoding).encode(text)).collect())
        .collect();

    let together = Barrier::new(THREADS);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (texts, expected, together) = (&texts, &expected, &together);
            scope.spawn(move || {
                together.wait();
                // Each thread starts at a different text, so that their caches differ.
                for step in 0..texts.len() {
                    let at = (step * 7 + thread * texts.len() / THREADS) % texts.len();
                    let which = (step + thread) % Encoding::ALL.len();
                    let (encoding, text) = (Encoding::ALL[which], &texts[at]);
                    assert_eq!(ids(encoding, text), expected[which][at], "{text:?}");
                    let counted = Tokenizer::get(encoding).count(text, SpecialTokenMode::Text);
                    assert_eq!(counted, Ok(expected[which][at].len()), "{text:?}");
                }
            });
        }
    });
}

#[test]
fn a_tokenizer_can_be_shared() {
    const fn shareable<T: Send + Sync + std::panic::RefUnwindSafe>() {}
    const { shareable::<Tokenizer>() };
    for encoding in Encoding::ALL {
        let here = Tokenizer::get(encoding);
        let there = thread::spawn(move || Tokenizer::get(encoding)).join().expect("no panic");
        assert!(std::ptr::eq(here, there), "{} is built once", encoding.name());
    }
}
