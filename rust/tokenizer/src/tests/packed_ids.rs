//! Packed ids, and the elements that the encoder writes for them.

use super::Numbers;
use crate::{Encoding, SpecialTokenMode, Tokenizer, pretoken_cache::PackedIds};

#[test]
fn packed_ids_are_unpacked() {
    let mut numbers = Numbers(0x9AC);
    for round in 0..10_000 {
        let count = round % (PackedIds::MAX + 1);
        let tokens: Vec<u32> = (0..count)
            .map(|_| [0, (1 << 18) - 1, numbers.below(1 << 18) as u32][numbers.below(3)])
            .collect();
        let packed = PackedIds::new(&tokens);
        assert_eq!(packed.count(), count);
        assert_eq!(packed.ids().collect::<Vec<_>>(), tokens);
        let mut lanes = tokens.clone();
        lanes.resize(PackedIds::FIRST, 0);
        lanes.truncate(PackedIds::FIRST);
        lanes.push(0);
        assert_eq!(packed.lanes()[..], lanes);
        assert!(tokens.iter().skip(PackedIds::FIRST).zip(packed.later()).all(|(a, b)| *a == b));
    }
}

#[test]
fn at_most_four_elements_after_the_last_id_are_overwritten() {
    let mut numbers = Numbers(0x3B);
    let mut farthest = 0;
    for _ in 0..5_000 {
        let text = numbers.text(30);
        for encoding in Encoding::ALL {
            let tokenizer = Tokenizer::get(encoding);
            let mut ids = vec![u32::MAX; text.len() + 8];
            let count = tokenizer.encode_into(&text, SpecialTokenMode::Text, &mut ids).unwrap();
            let written = ids.iter().rposition(|&id| id != u32::MAX).map_or(0, |last| last + 1);
            farthest = farthest.max(written - count);
        }
    }
    assert_eq!(farthest, 4, "by a long pre-token whose ids fill its words");
}
