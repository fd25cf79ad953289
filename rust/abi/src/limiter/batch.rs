//! Batches of decisions: many keys of one limiter in one call. Codes are those of `codec.rs`.

use sluice_limiter::{Denial, Limiter, MOST_LIMITS, Now};

use crate::limiter::codec::{code, code_of, key_of, named, read_costs};
use crate::limiter::config::amount;
use crate::limiter::opened;
use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, count};
use crate::seam::slice;

/// How many decisions are made at a time. Other threads may have to wait for that many.
const BATCH: usize = 64;

/// Decides about many keys of one limiter, in order and at one moment, and returns how many were allowed. Writes a
/// code for each key to `out`. `STALE_KEY` and invalid costs are codes here. O(keys * limits).
///
/// `costs` has one number for each unit of the limiter, either for each key or once for all keys. Fails with `INVALID_HANDLE`, and with `INVALID_ARGUMENT` if `costs` has another length.
///
/// # Safety
/// `keys` points to `keys_len` readable numbers, `costs` to `costs_len`, `out` to `keys_len` writable
/// ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_limiter_take_batch(
    limiter: u32,
    keys: *const f64,
    keys_len: u32,
    costs: *const f64,
    costs_len: u32,
    out: *mut f64,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let keys = unsafe { slice::input("keys", keys, keys_len) }?;
        // SAFETY: the caller's contract.
        let costs = unsafe { slice::input("costs", costs, costs_len) }?;
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, keys_len, keys) }?;
        if !costs.is_empty() {
            let written = out.as_ptr_range();
            let read = costs.as_ptr_range();
            if read.start < written.end && written.start < read.end {
                return Err(Failure::argument("out overlaps an input buffer"));
            }
        }
        opened::with(limiter, |opened| {
            let units = opened.limiter.units();
            if costs.len() != units && costs.len() != units * keys.len() {
                return Err(Failure::argument(format!(
                    "{} costs are neither {units} nor {units} for each of {} keys",
                    costs.len(),
                    keys.len()
                )));
            }
            if keys.is_empty() {
                return Ok(0);
            }
            let now = opened.clock.now();
            let all_alike = costs.len() == units;
            let mut rows = costs.chunks(units * BATCH);
            let mut allowed = 0;
            for (keys, out) in keys.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
                let costs = if all_alike { costs } else { rows.next().unwrap_or_default() };
                allowed += take_chunk(&opened.limiter, keys, costs, out, now);
            }
            count(allowed)
        })
    })
}

/// Takes for all `keys`, writes their codes, and returns how many were allowed.
fn take_chunk(limiter: &Limiter, keys: &[f64], costs: &[f64], out: &mut [f64], now: Now) -> usize {
    let mut batch = limiter.batch(now);
    let mut amounts = [0; MOST_LIMITS];
    let amounts = &mut amounts[..limiter.units()];
    let rows = costs.chunks_exact(amounts.len());
    let mut read = None;
    let prepare = |cost| limiter.prepare_cost(amount("cost", cost).ok()?);
    let all_alike = rows.len() == 1;
    let prepared = if let ([cost], true) = (costs, all_alike) { prepare(*cost) } else { None };
    let (mut at, mut allowed) = (0, 0);
    while at < keys.len() {
        let to = &mut out[at..];
        let each = |at: usize, denial: Option<Denial>| {
            allowed += usize::from(denial.is_none());
            to[at] = denial.map_or(0.0, code_of);
        };
        at += if let Some(prepared) = prepared {
            let calls = keys[at..].iter().map(|&key| Some((named(key)?, prepared)));
            batch.take_fast(calls, each)
        } else if amounts.len() == 1 && !all_alike {
            let calls = keys[at..].iter().zip(&costs[at..]);
            batch.take_fast(calls.map(|(&key, &cost)| Some((named(key)?, prepare(cost)?))), each)
        } else {
            0
        };
        let Some(&key) = keys.get(at) else { break };
        if !all_alike || read.is_none() {
            let row = if all_alike { costs } else { rows.clone().nth(at).unwrap_or_default() };
            read = Some(read_costs(amounts, row));
            batch.set_costs(amounts);
        }
        let decided = match &read {
            None | Some(Ok(())) => key_of(key).and_then(|key| code(batch.take(key))),
            Some(Err(failure)) => Err(failure.clone()),
        };
        out[at] = decided.unwrap_or_else(|failure| f64::from(failure.status as i32));
        allowed += usize::from(out[at] == 0.0);
        at += 1;
    }
    allowed
}
