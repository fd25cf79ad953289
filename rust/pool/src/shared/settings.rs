//! Settings of sharing: the lease with the store, and the rule while the store does not answer.

use crate::time::Millis;

/// How many permits a process uses of its own accord once its lease ended and the store does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// The cap divided by the number of processes, rounded down, but at least one.
    Share,
    /// None.
    Closed,
    /// The cap.
    Open,
}

/// The settings of a pool that is shared with other processes.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedSettings {
    /// How long permits last without a call.
    pub lease: Millis,
    /// How long to wait for a reply before the call counts as failed.
    pub timeout: Millis,
    /// The least number of processes for [`Outage::Share`]; a larger number that was seen counts more.
    pub processes: u32,
    /// What happens while the store does not answer.
    pub outage: Outage,
    /// Whether to hold some idle permits while a pool is in use, so that the next request need not ask.
    pub spare: bool,
    /// Whether nothing new is granted for one lease time after the store lost its state.
    pub strict: bool,
}

impl SharedSettings {
    /// The permits of a cap while the store does not answer. O(1).
    pub(crate) fn outage_permits(&self, cap: u32, holders: u32) -> u32 {
        match self.outage {
            Outage::Share => (cap / self.processes.max(holders).max(1)).max(1).min(cap),
            Outage::Closed => 0,
            Outage::Open => cap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_a_part_of_the_cap_and_at_least_one() {
        let settings = SharedSettings {
            lease: 2000,
            timeout: 100,
            processes: 4,
            outage: Outage::Share,
            spare: true,
            strict: false,
        };
        assert_eq!(settings.outage_permits(10, 1), 2);
        assert_eq!(settings.outage_permits(10, 5), 2, "more holders than configured count");
        assert_eq!(settings.outage_permits(10, 10), 1);
        assert_eq!(settings.outage_permits(3, 1), 1, "a small cap does not close the pool");
        let open = SharedSettings { outage: Outage::Open, ..settings.clone() };
        let closed = SharedSettings { outage: Outage::Closed, ..settings };
        assert_eq!((open.outage_permits(10, 9), closed.outage_permits(10, 1)), (10, 0));
    }
}
