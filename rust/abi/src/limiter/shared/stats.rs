//! What is known of a shared limiter and of its keys in this process.

use sluice_limiter::{LimitState, UNLIMITED};

use crate::limiter::codec::{fault, key_or_none_of};
use crate::limiter::opened;
use crate::seam::boundary::boundary;
use crate::seam::failure::count;
use crate::seam::slice;

/// How many numbers `sluice_shared_stats` writes before those of the limits.
pub const SLUICE_SHARED_STATS: u32 = 14;
/// How many numbers `sluice_shared_stats` writes for each limit.
pub const SLUICE_SHARED_LIMIT_STATS: u32 = 3;
/// How many numbers `sluice_shared_inspect` writes before those of the limits.
pub const SLUICE_SHARED_KEY: u32 = 3;
/// How many numbers `sluice_shared_inspect` writes for each limit.
pub const SLUICE_SHARED_STANDING: u32 = 8;

/// Indices of the numbers that `sluice_shared_stats` writes first.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceSharedStat {
    /// How many keys hold credit, wait or are in an outage.
    Sessions,
    /// For how many of them the store is out of reach.
    Out,
    /// Milliseconds since calls fail, NaN if they do not.
    FailingMs,
    /// Milliseconds since the last answer, NaN if there was none.
    AnsweredMs,
    /// How many processes shared a key at the last answer.
    Holders,
    /// How many calls to the store there were.
    Calls,
    /// How many decisions were from credit, without those of `sluice_limiter_*`.
    Credit,
    /// How many decisions the store made.
    Store,
    /// How many decisions were by the rules for an outage.
    Outage,
    /// How many decisions wait.
    Waiting,
    /// The median round trip in milliseconds.
    RoundTripMedianMs,
    /// The 99th percentile of the round trips in milliseconds.
    RoundTripHighMs,
    /// How often the store's clock jumped against the clock of this process.
    ClockJumps,
    /// How often the store had lost its state.
    LostEpochs,
}

const _: () = assert!(SLUICE_SHARED_STATS == SluiceSharedStat::LostEpochs as u32 + 1);

/// Indices of the numbers that `sluice_shared_stats` writes for each limit, in units.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceSharedLimitStat {
    /// What this process holds.
    Leased,
    /// What this process has spent and not reported.
    Unreported,
    /// What was admitted without credit in outages that are not over.
    OverBound,
}

const _: () = assert!(SLUICE_SHARED_LIMIT_STATS == SluiceSharedLimitStat::OverBound as u32 + 1);

/// Indices of the numbers that `sluice_shared_inspect` writes first.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceSharedKey {
    /// How many processes shared the key at the last answer, 0 if there was none.
    Holders,
    /// Milliseconds since the store is out of reach, NaN if it is not.
    OutMs,
    /// How many decisions wait.
    Waiting,
}

const _: () = assert!(SLUICE_SHARED_KEY == SluiceSharedKey::Waiting as u32 + 1);

/// Indices of the numbers that `sluice_shared_inspect` writes for each limit. Amounts are in units.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceSharedStanding {
    /// The capacity at the last answer, or as configured; infinity if the limit admits everything.
    Capacity,
    /// What this process may expect to take: its credit and its part of the room at the last answer.
    Remaining,
    /// What all processes had used or held at the last answer.
    Fill,
    /// What open reservations of this process hold.
    Outstanding,
    /// The free credit of this process.
    Credit,
    /// Milliseconds until that credit ends.
    CreditMs,
    /// Milliseconds until nothing is used, if nothing else happens.
    ResetMs,
    /// Milliseconds in which the capacity of a rate comes back, 0 for other kinds.
    RefillMs,
}

const _: () = assert!(SLUICE_SHARED_STANDING == SluiceSharedStanding::RefillMs as u32 + 1);

/// Writes `SLUICE_SHARED_STATS` numbers and `SLUICE_SHARED_LIMIT_STATS` for each limit, and returns how many there are.
/// O(keys that hold credit). Fails with `INVALID_HANDLE` and `NOT_SHARED`.
///
/// # Safety
/// `out` points to `out_cap` writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_stats(limiter: u32, out: *mut f64, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        opened::with_shared(limiter, |opened, shared| {
            let now = opened.clock.now();
            let stats = shared.stats(now);
            let since = |ns: Option<u64>| ns.map_or(f64::NAN, |ns| ms(now.ns.saturating_sub(ns)));
            let mut numbers = vec![0.0; SLUICE_SHARED_STATS as usize];
            for (stat, number) in [
                (SluiceSharedStat::Sessions, stats.sessions as f64),
                (SluiceSharedStat::Out, stats.out as f64),
                (SluiceSharedStat::FailingMs, since(stats.failing_since_ns)),
                (SluiceSharedStat::AnsweredMs, since(stats.last_answer_ns)),
                (SluiceSharedStat::Holders, stats.holders as f64),
                (SluiceSharedStat::Calls, stats.calls as f64),
                (SluiceSharedStat::Credit, stats.credit as f64),
                (SluiceSharedStat::Store, stats.store as f64),
                (SluiceSharedStat::Outage, stats.outage as f64),
                (SluiceSharedStat::Waiting, stats.waiting as f64),
                (SluiceSharedStat::RoundTripMedianMs, f64::from(stats.round_trip_us.0) / 1e3),
                (SluiceSharedStat::RoundTripHighMs, f64::from(stats.round_trip_us.1) / 1e3),
                (SluiceSharedStat::ClockJumps, stats.clock_jumps as f64),
                (SluiceSharedStat::LostEpochs, stats.lost_epochs as f64),
            ] {
                numbers[stat as usize] = number;
            }
            for limit in 0..shared.definitions().len() {
                let mut row = [0.0; SLUICE_SHARED_LIMIT_STATS as usize];
                row[SluiceSharedLimitStat::Leased as usize] = units(stats.leased[limit]);
                row[SluiceSharedLimitStat::Unreported as usize] = units(stats.unreported[limit]);
                row[SluiceSharedLimitStat::OverBound as usize] = units(stats.over_bound[limit]);
                numbers.extend(row);
            }
            slice::write(&numbers, out);
            count(numbers.len())
        })
    })
}

/// Writes `SLUICE_SHARED_KEY` numbers and `SLUICE_SHARED_STANDING` for each limit of a key, and returns how many there
/// are. O(limits). NaN as a key stands for a name without a key. Fails with `INVALID_HANDLE`, `NOT_SHARED` and
/// `STALE_KEY`.
///
/// # Safety
/// `out` points to `out_cap` writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_shared_inspect(
    limiter: u32,
    key: f64,
    out: *mut f64,
    out_cap: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        opened::with_shared(limiter, |opened, shared| {
            let now = opened.clock.now();
            let known = shared.inspect(key_or_none_of(key)?, now).map_err(fault)?;
            let mut numbers = vec![0.0; SLUICE_SHARED_KEY as usize];
            numbers[SluiceSharedKey::Holders as usize] = known.holders as f64;
            numbers[SluiceSharedKey::OutMs as usize] = known.out_ns.map_or(f64::NAN, ms);
            numbers[SluiceSharedKey::Waiting as usize] = known.waiting as f64;
            for (limit, status) in shared.definitions().iter().zip(&known.limits) {
                // The time to use nothing, as if this process had used it all.
                let mut state = LimitState::default();
                limit.charge(&mut state, status.fill, now);
                let mut row = [0.0; SLUICE_SHARED_STANDING as usize];
                for (field, number) in [
                    (SluiceSharedStanding::Capacity, bounded(status.capacity)),
                    (SluiceSharedStanding::Remaining, bounded(status.remaining)),
                    (SluiceSharedStanding::Fill, units(status.fill)),
                    (SluiceSharedStanding::Outstanding, units(status.held)),
                    (SluiceSharedStanding::Credit, units(status.credit)),
                    (SluiceSharedStanding::CreditMs, ms(status.credit_ns)),
                    (SluiceSharedStanding::ResetMs, ms(limit.reset_ns(&state, now))),
                    (SluiceSharedStanding::RefillMs, ms(limit.refill_ns())),
                ] {
                    row[field as usize] = number;
                }
                numbers.extend(row);
            }
            slice::write(&numbers, out);
            count(numbers.len())
        })
    })
}

fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

fn units(millionths: u64) -> f64 {
    millionths as f64 / 1e6
}

/// Units, infinity if there is no limit.
fn bounded(millionths: u64) -> f64 {
    if millionths == UNLIMITED { f64::INFINITY } else { units(millionths) }
}
