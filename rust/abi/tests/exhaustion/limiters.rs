//! Keys, snapshots, zones and names of limiters and pools without memory.

use sluice::limiter::key::{sluice_limiter_restore, sluice_limiter_snapshot, sluice_limiter_stats};
use sluice::limiter::reservation::sluice_reservation_end;
use sluice::limiter::zone::sluice_zone_add;
use sluice::limiter::{sluice_limiter_key, sluice_limiter_open, sluice_limiter_take};
use sluice::pool::sluice_pool_open;
use sluice::seam::status::SluiceStatus as Status;
use sluice::tokenizer::sluice_tokenizer_open;

use crate::resource_limits::{MIB, OUT_OF_MEMORY, leave, leave_all, refused};
use crate::support::last_error;

fn limiter(name: &str, max_keys: f64) -> u32 {
    let text = format!("{name}\0rpm\0requests");
    let config = [max_keys, 60_000.0, 1.0, 1.0, 0.0, 0.0, 1e9, 86_400_000.0, 1e9, 0.0, 0.0, 0.0];
    // SAFETY: pointers and lengths come from live arrays.
    let handle =
        unsafe { sluice_limiter_open(text.as_ptr(), text.len() as u32, config.as_ptr(), 12, 0) };
    assert!(handle > 0, "{}", last_error());
    handle.cast_unsigned()
}

fn key(limiter: u32, number: u32) -> f64 {
    let name = number.to_le_bytes();
    // SAFETY: pointer and length come from a live array.
    unsafe { sluice_limiter_key(limiter, name.as_ptr(), 4) }
}

pub(crate) fn keys() {
    let limiter = limiter("keys", 1e9);
    let first = key(limiter, 0);
    assert_eq!(sluice_limiter_take(limiter, first, 1e9 - 1.0, 0.0, 0.0, 0.0), 0.0);
    // Enough for the slots and the names of a million keys, but not for the slots of the next million.
    leave(150 * MIB);
    // Each is in use, or it would make room for the next.
    let used = |number| {
        let key = key(limiter, number);
        if key >= 0.0 {
            assert_eq!(sluice_limiter_take(limiter, key, 1e9, 0.0, 0.0, 0.0), 0.0);
        }
        key
    };
    let refusal = (1..3_000_000).map(used).find(|&key| key < 0.0);
    refused(refusal.expect("a refusal") as i32);
    refused(key(limiter, u32::MAX) as i32);
    // Who is there goes on.
    assert_eq!(sluice_limiter_take(limiter, first, 1.0, 0.0, 0.0, 0.0), 0.0);
    leave_all();
    assert!(key(limiter, u32::MAX) >= 0.0, "{}", last_error());
    let mut stats = [0f64; 6];
    // SAFETY: pointer and length come from a live array.
    unsafe { sluice_limiter_stats(limiter, stats.as_mut_ptr(), 6) };
    assert_eq!(stats[3], 0.0, "no key was refused for lack of a slot");
}

pub(crate) fn snapshot() {
    let from = limiter("from", 1e6);
    for number in 0..400_000 {
        let key = key(from, number);
        assert_eq!(sluice_limiter_take(from, key, 1.0, 0.0, 0.0, 0.0), 0.0);
    }
    let write = |out: &mut [u8]| {
        // SAFETY: pointer and length come from a live slice.
        unsafe { sluice_limiter_snapshot(from, out.as_mut_ptr(), out.len() as u32) }
    };
    let mut bytes = vec![0; write(&mut []) as usize];
    for room in [2, 10] {
        leave(room * MIB);
        refused(write(&mut bytes));
        leave_all();
    }
    assert_eq!(write(&mut bytes) as usize, bytes.len());
    let to = limiter("to", 1e6);
    let read = || {
        // SAFETY: pointer and length come from a live slice.
        unsafe { sluice_limiter_restore(to, bytes.as_ptr(), bytes.len() as u32) }
    };
    for room in [2, 24] {
        leave(room * MIB);
        refused(read());
        leave_all();
    }
    // Nothing was changed, so it still can be taken over.
    assert_eq!(read(), 0, "{}", last_error());
}

pub(crate) fn names() {
    let long = "n".repeat(64 * MIB);
    let nuls = "\0".repeat(64 * MIB);
    let named = format!("{}\0rpm\0requests", &long[..32 * MIB]);
    let (config, settings) = ([1e6; 12], [1.0; 13]);
    leave(32 * MIB);
    // SAFETY: pointers and lengths come from live arrays.
    unsafe {
        for text in [&long, &nuls] {
            let (at, length) = (text.as_ptr(), text.len() as u32);
            assert_eq!(sluice_tokenizer_open(at, length), Status::UnknownEncoding as i32);
            assert!(last_error().len() < 500);
            let limiter = sluice_limiter_open(at, length, config.as_ptr(), 12, 0);
            assert_eq!(limiter, Status::InvalidArgument as i32);
            let pool = sluice_pool_open(at, length, settings.as_ptr(), 13, at, length);
            assert!(pool == Status::InvalidArgument as i32 || pool == OUT_OF_MEMORY, "{pool}");
            let pool = sluice_pool_open(at, length, settings.as_ptr(), 13, at, 0);
            assert_eq!(pool, Status::InvalidArgument as i32);
        }
        let config = [10.0, 60_000.0, 1.0, 1.0, 0.0, 0.0, 1e9, 86_400_000.0, 1e9, 0.0, 0.0, 0.0];
        let open = |text: &str| {
            sluice_limiter_open(text.as_ptr(), text.len() as u32, config.as_ptr(), 12, 0)
        };
        leave(8 * MIB);
        assert_eq!(open(&named), Status::InvalidArgument as i32);
        assert!(open("short\0rpm\0requests") > 0);
    }
}

pub(crate) fn costs() {
    let limiter = limiter("costs", 10.0);
    let many = vec![0f64; 8 * MIB];
    leave(16 * MIB);
    for how in [0, 1] {
        // SAFETY: pointer and length come from a live slice.
        let ended =
            unsafe { sluice_reservation_end(limiter, 1.0, how, many.as_ptr(), many.len() as u32) };
        assert!(ended < 0 && ended != Status::Panic as i32, "{ended}");
    }
}

pub(crate) fn zones() {
    let name = "z".repeat(64 * MIB);
    let offsets: Vec<f64> = (0..8 * MIB + 1).map(|n| n as f64).collect();
    leave(32 * MIB);
    for (name, offsets) in [(&name[..], &offsets[..1]), (&name[..4], &offsets)] {
        let (text, many) = (name.as_ptr(), offsets.len() as u32);
        // SAFETY: pointers and lengths come from live slices.
        let added = unsafe { sluice_zone_add(text, name.len() as u32, offsets.as_ptr(), many) };
        assert_eq!(added, Status::InvalidArgument as i32, "{}", last_error());
    }
}
