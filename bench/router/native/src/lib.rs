//! Weighted choice of a deployment with priorities, cooldowns and fallbacks, behind a C ABI: from JSON and from packed
//! arrays. The bench `router` compares both with the same choice in TypeScript.

use std::borrow::Cow;
use std::slice;

use serde::{Deserialize, Serialize};

/// What a choice depends on. Fields of one deployment.
struct Candidate {
    order: f64,
    weight: f64,
    cooldown_until: f64,
    requests_left: f64,
    tokens_left: f64,
    is_allowed: bool,
}

impl Candidate {
    fn is_available(&self, now: f64, tokens: f64) -> bool {
        self.is_allowed
            && self.cooldown_until <= now
            && self.requests_left >= 1.0
            && self.tokens_left >= tokens
    }
}

/// The index of the chosen deployment of a group: of those available with the lowest order, by weight.
fn choose(
    group: impl Iterator<Item = (usize, Candidate)> + Clone,
    now: f64,
    tokens: f64,
    draw: f64,
) -> Option<usize> {
    let available = group.filter(|(_, one)| one.is_available(now, tokens));
    let lowest = available.clone().map(|(_, one)| one.order).fold(f64::INFINITY, f64::min);
    let best = available.filter(|(_, one)| one.order == lowest);
    let total: f64 = best.clone().map(|(_, one)| one.weight).sum();
    let mut rest = draw * total;
    let mut last = None;
    for (index, one) in best {
        last = Some(index);
        rest -= one.weight;
        if rest < 0.0 {
            break;
        }
    }
    last
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Deployment<'a> {
    #[serde(borrow)]
    group: Cow<'a, str>,
    order: f64,
    weight: f64,
    cooldown_until: f64,
    requests_left: f64,
    tokens_left: f64,
    is_allowed: bool,
}

#[derive(Deserialize)]
struct Request<'a> {
    /// The model, then its fallbacks.
    #[serde(borrow)]
    groups: Vec<Cow<'a, str>>,
    now: f64,
    tokens: f64,
    draw: f64,
    #[serde(borrow)]
    deployments: Vec<Deployment<'a>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: usize,
    group: &'a str,
}

/// Chooses by a request in JSON and writes the choice as JSON. Returns its length, -1 if nothing is available, or -2 if
/// the request is invalid or the output too small.
///
/// # Safety
/// `input` has `input_len` bytes to read and `output` has `output_len` bytes to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn router_choose_json(
    input: *const u8,
    input_len: u32,
    output: *mut u8,
    output_len: u32,
) -> i32 {
    // SAFETY: by the contract of this function.
    let input = unsafe { slice::from_raw_parts(input, input_len as usize) };
    // SAFETY: by the contract of this function; the caller passes two different buffers.
    let output = unsafe { slice::from_raw_parts_mut(output, output_len as usize) };
    let Ok(request) = serde_json::from_slice::<Request>(input) else { return -2 };
    for group in &request.groups {
        let members = request.deployments.iter().enumerate();
        let members = members.filter(|(_, one)| one.group == *group).map(|(index, one)| {
            (
                index,
                Candidate {
                    order: one.order,
                    weight: one.weight,
                    cooldown_until: one.cooldown_until,
                    requests_left: one.requests_left,
                    tokens_left: one.tokens_left,
                    is_allowed: one.is_allowed,
                },
            )
        });
        if let Some(index) = choose(members, request.now, request.tokens, request.draw) {
            let mut rest = &mut *output;
            if serde_json::to_writer(&mut rest, &Choice { index, group }).is_err() {
                return -2;
            }
            let left = rest.len();
            return (output_len as usize - left) as i32;
        }
    }
    -1
}

/// Numbers of a deployment in a packed array: group, order, weight, cooldown, requests left, tokens left, allowed.
const FIELDS: usize = 7;

/// Chooses by packed arrays: `FIELDS` numbers of each deployment, and a request of now, tokens, draw and its groups.
/// Returns an index, or -1 if nothing is available.
///
/// # Safety
/// `deployments` has `7 * deployment_count` numbers to read, and `request` has `request_len`, at least 3.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn router_choose_packed(
    deployments: *const f64,
    deployment_count: u32,
    request: *const f64,
    request_len: u32,
) -> i32 {
    // SAFETY: by the contract of this function.
    let rows = unsafe { slice::from_raw_parts(deployments, FIELDS * deployment_count as usize) };
    // SAFETY: by the contract of this function.
    let request = unsafe { slice::from_raw_parts(request, request_len as usize) };
    let [now, tokens, draw, groups @ ..] = request else { return -1 };
    for group in groups {
        let members = rows.chunks_exact(FIELDS).enumerate();
        let members = members.filter(|(_, row)| row[0] == *group).map(|(index, row)| {
            (
                index,
                Candidate {
                    order: row[1],
                    weight: row[2],
                    cooldown_until: row[3],
                    requests_left: row[4],
                    tokens_left: row[5],
                    is_allowed: row[6] != 0.0,
                },
            )
        });
        if let Some(index) = choose(members, *now, *tokens, *draw) {
            return index as i32;
        }
    }
    -1
}
