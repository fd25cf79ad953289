//! Properties of both kinds of memory.

use super::{CacheLine, HUGE_PAGE, HeapLines, Memory};

/// More than a huge page.
const COUNT: usize = HUGE_PAGE / size_of::<CacheLine>() + 3;

fn kinds() -> Vec<Memory> {
    let heap = [HeapLines::new(COUNT), HeapLines::try_new(COUNT).unwrap()].map(Memory::Heap);
    heap.into_iter().chain(Memory::try_new(COUNT)).collect()
}

#[test]
fn lines_are_aligned_zeros_that_can_be_written() {
    let kinds = kinds();
    assert_eq!(kinds.len(), 3);
    for mut memory in kinds {
        assert_eq!(memory.lines().len(), COUNT);
        assert_eq!(memory.lines().as_ptr() as usize % size_of::<CacheLine>(), 0);
        memory.populate();
        assert!(memory.lines().iter().all(|line| *line == [0; 4]));
        for (number, line) in (1..).zip(memory.lines_mut()) {
            *line = [number; 4];
        }
        assert!((1..).zip(memory.lines()).all(|(number, line)| *line == [number; 4]));
    }
}

#[test]
fn more_than_the_system_has_is_refused() {
    for count in [1 << 52, usize::MAX / size_of::<CacheLine>(), usize::MAX] {
        assert!(HeapLines::try_new(count).is_none(), "{count}");
        assert!(Memory::try_new(count).is_none(), "{count}");
    }
}

#[cfg(target_os = "linux")]
mod huge {
    use super::{COUNT, HUGE_PAGE, Memory};
    use crate::memory::huge_pages::HugePages;

    #[test]
    fn huge_pages_begin_at_a_boundary() {
        let memory = Memory::try_new(COUNT);
        assert!(matches!(memory, Some(Memory::Huge(_))));
        for count in [1, COUNT, 4 * COUNT] {
            let pages = HugePages::new(count).unwrap();
            assert_eq!(pages.lines().as_ptr() as usize % HUGE_PAGE, 0);
        }
        assert!(HugePages::new(0).is_none());
        assert!(matches!(Memory::try_new(1), Some(Memory::Heap(_))));
    }

    /// Without unmapping, a thousand of them would be 2 GiB.
    #[test]
    fn huge_pages_are_unmapped_on_drop() {
        let mapped = || {
            let maps = std::fs::read_to_string("/proc/self/statm").unwrap();
            let pages: usize = maps.split(' ').next().unwrap().parse().unwrap();
            pages * 4096
        };
        let before = mapped();
        for _ in 0..1_000 {
            assert!(HugePages::new(COUNT).is_some());
        }
        assert!(mapped() < before + 1_000 * HUGE_PAGE / 2);
    }
}
