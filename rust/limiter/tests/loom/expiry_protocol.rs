//! Expiry of reservations: no expiry is lost while another thread examines the book.

use loom::sync::Arc;
use loom::thread;

use crate::reservations::book::{Book, Held, HeldParts};
use crate::time::Now;

impl Held {
    pub(crate) fn settle_in_full(self, _now: Now) {}
    pub(crate) fn expire(self, _now: Now) {}
}

fn at(ns: u64) -> Now {
    Now { ns, wall_ns: 0 }
}

/// A reservation of `owner`, which selects its shard.
fn held(owner: u32, expires: u64) -> Held {
    Held { owner, expires, parts: HeldParts::new() }
}

#[test]
fn no_expiry_is_lost_while_others_are_noticed() {
    loom::model(|| {
        let book = Arc::new(Book::new());
        book.add(held(0, 10));
        let theirs = book.clone();
        let adder = thread::spawn(move || {
            theirs.add(held(1, 15));
            theirs.add(held(0, 20));
        });
        // Notices the first, and moves `next_expiry` back and forward while the others are added.
        book.expire(at(12));
        adder.join().expect("join");
        assert_eq!(book.expired(), 1);
        // One load shows that something has expired.
        book.expire(at(15));
        assert_eq!(book.expired(), 2);
        book.expire(at(20));
        assert_eq!(book.expired(), 3);
    });
}
