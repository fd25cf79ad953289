//! Chores: what a member has to do for itself and for others after a call, as a bit set.

use crate::pool::registry::Shared;

/// Chore: the mailbox of this member is not empty. Call `sluice_waiter_collect`.
pub const SLUICE_CHORE_MAIL: u32 = 1;
/// Chore: mailboxes of other members are not empty. Call `sluice_bell_next` until it returns 0.
pub const SLUICE_CHORE_RING: u32 = 2;
/// Chore: another member asked for this member's bell. See `sluice_bell_want`.
pub const SLUICE_CHORE_BELL: u32 = 4;
/// Factor of the number of answers in the result of `sluice_waiter_collect`. The chores are the rest.
pub const SLUICE_CHORES: u32 = 8;

/// The chores that a call leaves, without `SLUICE_CHORE_BELL`.
#[inline]
pub(crate) fn chores(shared: &Shared, member: u32) -> i32 {
    let mail = if shared.pool.has_mail(member) { SLUICE_CHORE_MAIL } else { 0 };
    let ring = if shared.pool.has_rings() { SLUICE_CHORE_RING } else { 0 };
    (mail | ring).cast_signed()
}
