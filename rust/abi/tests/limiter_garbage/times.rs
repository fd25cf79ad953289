//! Virtual clocks, time zones, and reservations that are renewed too late.

use std::ptr::null;

use sluice::clock::{sluice_clock_advance, sluice_clock_close, sluice_clock_open};
use sluice::limiter::parts::sluice_limiter_reserve;
use sluice::limiter::reservation::{sluice_reservation_end, sluice_reservation_renew};
use sluice::limiter::zone::{sluice_zone_add, sluice_zone_find};
use sluice::seam::status::SluiceStatus as Status;

use crate::calls::{LIMITER, key, limiter, names, open_limiter, take};
use crate::support::last_error;

#[test]
fn clocks_that_are_none_and_times_that_never_come() {
    for wall in [f64::NAN, f64::INFINITY, 1e13] {
        assert_eq!(sluice_clock_open(wall), Status::InvalidArgument as i32);
    }
    let clock = sluice_clock_open(-1e12).cast_unsigned();
    for ms in [f64::NAN, -1.0, f64::INFINITY] {
        assert_eq!(sluice_clock_advance(clock, ms), Status::InvalidArgument as i32);
    }
    let handle = open_limiter(&names("virtual"), &LIMITER, clock).cast_unsigned();
    let k = key(handle, b"k");
    assert_eq!(take(handle, k, 5.0), 0.0);
    assert!(take(handle, k, 1.0) > 0.0);
    // A hundred years a step, until 64 bits of nanoseconds run out and beyond.
    for _ in 0..12 {
        assert_eq!(sluice_clock_advance(clock, 3.2e12), 0);
        let code = take(handle, key(handle, b"k"), 5.0);
        assert!(code >= 0.0, "{code} {}", last_error());
    }
    assert_eq!(sluice_clock_close(clock), 0);
    assert_eq!(sluice_clock_close(clock), Status::InvalidHandle as i32);
    assert!(take(handle, k, 1.0) != f64::from(Status::InvalidHandle as i32), "the limiter has it");
}

#[test]
fn zones_that_are_none_and_reservations_that_are_renewed_too_late() {
    let add = |name: &str, offsets: &[f64]| {
        let (length, count) = (name.len() as u32, offsets.len() as u32);
        // SAFETY: pointers and lengths come from live values.
        unsafe { sluice_zone_add(name.as_ptr(), length, offsets.as_ptr(), count) }
    };
    // SAFETY: pointer and length come from a live value.
    let find = |name: &str| unsafe { sluice_zone_find(name.as_ptr(), name.len() as u32) };
    let refused = Status::InvalidArgument as i32;
    let day = 86_400.0;
    for bad in [
        &[][..],
        &[0.0, 1.0],
        &[f64::NAN],
        &[2.0 * day],
        &[0.0, 5.0, f64::INFINITY],
        &[0.0, 5.0, 60.0, 5.0, 0.0],
        &[0.0, 9.3e9, 0.0],
    ] {
        assert_eq!(add("garbage/none", bad), refused, "{bad:?}");
    }
    assert_eq!(find("garbage/none"), 0);
    let number = add("garbage/one", &[3600.0, 0.0, 7200.0]);
    assert!(number > 0);
    assert_eq!((find("garbage/one"), add("garbage/one", &[0.0])), (number, number));
    let mut config = LIMITER;
    config[4..12].copy_from_slice(&[1.0, 0.0, 5.0, -1.0, 0.0, 0.0, 0.0, f64::from(number)]);
    assert!(open_limiter(&names("zoned"), &config, 1) > 0, "{}", last_error());
    config[11] = 1024.0;
    assert_eq!(open_limiter(&names("zoned elsewhere"), &config, 1), refused);

    let handle = limiter("renewed");
    let mut parts = [f64::from(handle), key(handle, b"k"), 1.0, 1.0];
    // SAFETY: pointer and length come from a live array.
    assert_eq!(unsafe { sluice_limiter_reserve(parts.as_mut_ptr(), 4, 0.0) }, 0.0);
    for bad in [f64::NAN, -1.0, f64::INFINITY, 1e300] {
        assert_eq!(sluice_reservation_renew(handle, parts[0], bad), refused);
    }
    assert_eq!(sluice_reservation_renew(handle, parts[0], 1e3), 0);
    let closed = Status::ReservationClosed as i32;
    assert_eq!(sluice_reservation_renew(handle, parts[0] + 0.5, 0.0), closed);
    // SAFETY: there are no costs.
    assert_eq!(unsafe { sluice_reservation_end(handle, parts[0], 1, null(), 0) }, 0);
    assert_eq!(sluice_reservation_renew(handle, parts[0], 0.0), closed);
}
