//! Reservations, and snapshots, which leave them out.

use std::ptr::{null, null_mut};

use sluice::clock::SLUICE_CLOCK_COARSE;
use sluice::limiter::key::{
    sluice_limiter_inspect, sluice_limiter_restore, sluice_limiter_snapshot, sluice_limiter_stats,
};
use sluice::limiter::parts::sluice_limiter_reserve;
use sluice::limiter::reservation::{sluice_reservation_end, sluice_reservation_top_up};
use sluice::limiter::{sluice_limiter_close, sluice_limiter_reserve_one};
use sluice::seam::status::SluiceStatus as Status;

use crate::calls::{LIMITER, key, limiter, open_limiter};
use crate::support::{FAR, last_error};

#[test]
fn reservations_that_are_not_open_and_snapshots_that_are_none() {
    let handle = limiter("reservations");
    let k = key(handle, b"k");
    let mut parts = [f64::from(handle), k, 1.0, 1.0];
    let end = |id: f64, how: u32, costs: &[f64]| {
        let (costs, length) = (costs.as_ptr(), costs.len() as u32);
        // SAFETY: pointer and length come from a live slice.
        unsafe { sluice_reservation_end(handle, id, how, costs, length) }
    };
    // SAFETY: pointer and length come from a live array.
    let code = unsafe { sluice_limiter_reserve(parts.as_mut_ptr(), 4, 0.0) };
    assert_eq!(code, 0.0, "{}", last_error());
    let id = parts[0];
    assert_eq!(end(id, 3, &[]), Status::InvalidArgument as i32);
    assert_eq!(end(id, 0, &[1.0]), Status::InvalidArgument as i32);
    assert_eq!(end(id, 0, &[1.0, f64::NAN]), Status::InvalidArgument as i32);
    for bad in [id + f64::from(FAR), id + 4_294_967_296.0, -1.0, 0.5, f64::NAN] {
        assert_eq!(end(bad, 1, &[]), Status::ReservationClosed as i32, "{bad}");
    }
    // SAFETY: pointers and lengths come from live values; null is not used with length 0.
    unsafe {
        let more = [5.0, 0.0];
        assert!(sluice_reservation_top_up(handle, id, more.as_ptr(), 2) > 0.0, "it is denied");
        let wrong = sluice_reservation_top_up(handle, id, null(), 0);
        assert_eq!(wrong, f64::from(Status::InvalidArgument as i32));
    }
    assert_eq!(end(id, 0, &[1.0, -1.0]), 0);
    assert_eq!(end(id, 2, &[]), Status::ReservationClosed as i32);
    let mut numbers = [0.0; 8];
    let mut bytes = [0u8; 512];
    // SAFETY: pointers and capacities come from live arrays.
    unsafe {
        assert_eq!(sluice_limiter_stats(handle, numbers.as_mut_ptr(), 8), 6);
        let length = sluice_limiter_snapshot(handle, bytes.as_mut_ptr(), 512);
        assert!(length > 0 && length < 512);
        let restore = sluice_limiter_restore(handle, bytes.as_ptr(), length.cast_unsigned());
        assert_eq!(restore, Status::BadSnapshot as i32);
        let restore = sluice_limiter_restore(handle, null(), 0);
        assert_eq!(restore, Status::BadSnapshot as i32);
        // As many of something else: a limiter with the same numbers and no name in common, and one whose
        // units are in another order.
        for (others, fits) in [
            (["rpm", "live", "tokens", "connections"], false),
            (["a", "b", "requests", "concurrent"], false),
            (["live", "rpm", "requests", "concurrent"], false),
            (["rpm", "other", "requests", "concurrent"], true),
        ] {
            let text = format!("snapshots of others {others:?}\0{}", others.join("\0"));
            let other = open_limiter(&text, &LIMITER, SLUICE_CLOCK_COARSE).cast_unsigned();
            for cut in [1, 7, 8] {
                let cut = length.cast_unsigned() - cut;
                let restore = sluice_limiter_restore(other, bytes.as_ptr(), cut);
                assert_eq!(restore, Status::BadSnapshot as i32);
            }
            let restore = sluice_limiter_restore(other, bytes.as_ptr(), length.cast_unsigned());
            assert_eq!(restore == 0, fits, "{others:?} {}", last_error());
            if !fits {
                assert_eq!(restore, Status::BadSnapshot as i32);
                assert!(last_error().contains("other limits"), "{}", last_error());
            }
        }
    }
    assert_eq!(numbers[4], 0.0, "nothing is open");
}

#[test]
fn reservations_of_another_thread_cannot_be_ended_by_guessing_their_numbers() {
    let mine = limiter("guessed");
    let k = key(mine, b"k");
    let mut parts = [f64::from(mine), k, 1.0, 1.0];
    // SAFETY: pointer and length come from a live array.
    let code = unsafe { sluice_limiter_reserve(parts.as_mut_ptr(), 4, 60_000.0) };
    assert_eq!(code, 0.0, "{}", last_error());
    let id = parts[0];
    let closed = Status::ReservationClosed as i32;
    std::thread::spawn(move || {
        let theirs = limiter("guessed");
        let costs = [0.0, 0.0];
        // SAFETY: pointers and lengths come from live arrays; null is not used with length 0.
        unsafe {
            for how in [0, 1, 2] {
                let length = if how == 0 { 2 } else { 0 };
                let ended = sluice_reservation_end(theirs, id, how, costs.as_ptr(), length);
                assert_eq!(ended, closed, "{how}");
            }
            let topped = sluice_reservation_top_up(theirs, id, costs.as_ptr(), 2);
            assert_eq!(topped, f64::from(closed));
        }
    })
    .join()
    .expect("join");
    // SAFETY: pointers and lengths come from live arrays; null is not used with length 0.
    unsafe {
        assert_eq!(sluice_reservation_top_up(mine, id, [1.0, 0.0].as_ptr(), 2), 0.0);
        assert_eq!(sluice_reservation_end(mine, id, 2, null(), 0), 0);
        assert_eq!(sluice_reservation_end(mine, id, 2, null(), 0), closed);
    }
}

#[test]
fn what_a_thread_reserved_is_settled_when_it_ends_also_of_a_limiter_it_has_closed() {
    let mine = limiter("left behind");
    let k = key(mine, b"k");
    let outstanding = || {
        let mut numbers = [0.0; 12];
        // SAFETY: pointer and capacity come from a live array.
        let count = unsafe { sluice_limiter_inspect(mine, k, numbers.as_mut_ptr(), 12) };
        assert_eq!(count, 12);
        (numbers[2] + numbers[3], numbers[9])
    };
    for closes in [false, true] {
        let (reserved, ended) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let theirs = limiter("left behind");
                let mut parts = [f64::from(theirs), k, 1.0, 1.0];
                // SAFETY: pointer and length come from a live array.
                let code = unsafe { sluice_limiter_reserve(parts.as_mut_ptr(), 4, 60_000.0) };
                assert_eq!(code, 0.0, "{}", last_error());
                if closes {
                    assert_eq!(sluice_limiter_close(theirs), 0);
                }
                reserved.wait();
                ended.wait();
            });
            reserved.wait();
            assert_eq!(outstanding().1, 1.0, "the concurrency is in use");
            ended.wait();
            worker.join().expect("join");
        });
        let (charged, held) = outstanding();
        assert_eq!(held, 0.0, "closed: {closes}");
        assert!(charged > 0.9, "{charged}");
    }
}

#[test]
fn a_reservation_of_one_key_is_one_of_parts() {
    let handle = limiter("one key");
    let k = key(handle, b"k");
    let refused = f64::from(Status::InvalidArgument as i32);
    let state = || {
        let mut numbers = [0.0; 12];
        // SAFETY: pointer and capacity come from a live array.
        assert_eq!(unsafe { sluice_limiter_inspect(handle, k, numbers.as_mut_ptr(), 12) }, 12);
        (numbers[3], numbers[9])
    };
    // SAFETY: pointers and lengths come from live arrays; null is not used with length 0.
    unsafe {
        let mut costs = [2.0, 1.0, 7.0];
        let at = costs.as_mut_ptr();
        for length in [0, 1, 3] {
            assert_eq!(sluice_limiter_reserve_one(handle, k, at, length, 0.0), refused);
        }
        for ttl in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(sluice_limiter_reserve_one(handle, k, at, 2, ttl), refused, "{ttl}");
        }
        assert_eq!(sluice_limiter_reserve_one(handle, k, null_mut(), 2, 0.0), refused);
        assert_eq!((state(), costs), ((0.0, 0.0), [2.0, 1.0, 7.0]));
        assert_eq!(sluice_limiter_reserve_one(handle, k, at, 2, 0.0), 0.0, "{}", last_error());
        assert_eq!(state(), (2.0, 1.0));
        let id = costs[0];
        // The second place is denied by both in the same words.
        let (mut again, mut parts) = ([0.0, 1.0], [f64::from(handle), k, 0.0, 1.0]);
        let denied = sluice_limiter_reserve_one(handle, k, again.as_mut_ptr(), 2, 0.0);
        assert!(denied > 0.0 && again == [0.0, 1.0]);
        assert_eq!(sluice_limiter_reserve(parts.as_mut_ptr(), 4, 0.0), denied);
        let actual = [3.0, -1.0];
        assert_eq!(sluice_reservation_end(handle, id, 0, actual.as_ptr(), 2), 0);
        assert_eq!(state(), (0.0, 0.0));
    }
}
