//! Tests of what is not public. (`slots.rs` itself is also compiled by `tests/loom.rs`.)

use crate::slots::Slots;

#[test]
fn every_index_has_a_place_of_its_own_and_keeps_it() {
    let slots = Slots::new(5);
    assert!(slots.get(0).is_none());
    let first = slots.make(0).expect("room").head.as_ptr();
    assert!(first.align_offset(8) == 0 && slots.get(63).is_some());
    assert_eq!(first.cast::<u8>().align_offset(64), 0);
    let mut seen = std::collections::HashSet::new();
    for index in 0..10_000 {
        assert!(seen.insert(slots.make(index).expect("room").head.as_ptr()));
    }
    assert_eq!(slots.get(0).expect("there").head.as_ptr(), first);
    assert!(slots.make(u32::MAX).is_none());
}
