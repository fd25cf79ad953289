//! Tokens in a word, and what the encoder writes of it.

use super::Numbers;
use crate::{Encoding, Special, Tokenizer, packed::Packed};

#[test]
fn a_word_gives_back_its_tokens() {
    let mut numbers = Numbers(0x9AC);
    for round in 0..10_000 {
        let count = round % (Packed::MOST + 1);
        let tokens: Vec<u32> = (0..count)
            .map(|_| [0, (1 << 18) - 1, numbers.below(1 << 18) as u32][numbers.below(3)])
            .collect();
        let packed = Packed::new(&tokens);
        assert_eq!(packed.count(), count);
        assert_eq!(packed.ids().collect::<Vec<_>>(), tokens);
        let mut lanes = tokens.clone();
        lanes.resize(Packed::FEW, 0);
        lanes.truncate(Packed::FEW);
        lanes.push(0);
        assert_eq!(packed.lanes()[..], lanes);
        assert!(tokens.iter().skip(Packed::FEW).zip(packed.later()).all(|(a, b)| *a == b));
    }
}

#[test]
fn what_is_further_than_four_places_behind_the_last_id_is_left() {
    let mut numbers = Numbers(0x3B);
    let mut farthest = 0;
    for _ in 0..5_000 {
        let text = numbers.text(30);
        for encoding in Encoding::ALL {
            let tokenizer = Tokenizer::get(encoding);
            let mut ids = vec![u32::MAX; text.len() + 8];
            let count = tokenizer.encode_into(&text, Special::Text, &mut ids).unwrap();
            let written = ids.iter().rposition(|&id| id != u32::MAX).map_or(0, |last| last + 1);
            farthest = farthest.max(written - count);
        }
    }
    assert_eq!(farthest, 4, "by a long piece whose tokens fill its words");
}
