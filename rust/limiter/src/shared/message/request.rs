//! The encoder of requests: the arguments of the script, as words.

use std::fmt::Write;

/// A call of the script that reports, asks and renews, or that only looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRequest {
    /// Whether this only looks: the store writes nothing, and decides each waiter as if it were alone.
    pub is_peek: bool,
    /// The id of the process: letters and digits.
    pub process: String,
    /// The sequence number of the call. A repeated one gets the same answers and changes nothing; a
    /// smaller one than the last is answered by [`Reply::Old`](super::Reply::Old).
    pub seq: u64,
    /// How long credit is lent, in microseconds; above 0, also when leaving.
    pub lease_us: u64,
    /// Whether the process gives everything back and its entry is removed. What `bind` says then is
    /// charged.
    pub is_leaving: bool,
    /// The epoch of the last reply; 0 if there was none.
    pub epoch: u64,
    /// Whether a state that was lost counts as full for one lease.
    pub is_strict: bool,
    /// A stamp of the limiter's limits and settings; another one than the last writer's is reported.
    pub config: String,
    /// The limits of the key, in the order of the reply.
    pub limits: Vec<LimitReport>,
    /// Those who wait for a decision, first come first served.
    pub waiters: Vec<Waiter>,
}

/// One limit of a request: what it is, and what the process reports and wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitReport {
    /// Its name on the wire, from [`Plan::wire_name`](crate::shared::Plan::wire_name).
    pub name: String,
    /// The limit as the script knows it.
    pub limit: WireLimit,
    /// Spent since the last report, of credit.
    pub spent: u64,
    /// Spent beyond the credit: settled above a reservation, or admitted while the store was away.
    pub debt: u64,
    /// What the process may spend while this call is under way; the store does not take it back.
    pub bind: u64,
    /// The credit that the process would like to hold.
    pub want: u64,
    /// Quotas: all that this process has reported in the window, in case the store has lost it.
    /// Concurrency: what open reservations hold. The store counts it even if the lease had ended.
    pub restore: u64,
}

/// A limit in quanta and microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireLimit {
    /// The kind.
    pub kind: WireKind,
    /// The capacity; none if unlimited.
    pub capacity: Option<u64>,
}

/// The kind of a limit on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireKind {
    /// `quanta` come back every `us` microseconds.
    Rate {
        /// At most 2^52.
        quanta: u64,
        /// At most 2^52.
        us: u64,
    },
    /// Everything comes back when the window ends. The window under way and the next one, because the
    /// process knows the server's time only about.
    Quota {
        /// The start of the window under way.
        start_us: u64,
        /// Its end.
        end_us: u64,
        /// The end of the next window.
        next_end_us: u64,
    },
    /// Only held.
    Concurrency,
}

/// One who waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// Whether the cost is lent to the process for a reservation. If not, it is charged at once.
    pub is_reservation: bool,
    /// One cost for each limit.
    pub costs: Vec<u64>,
}

/// A limit that is set for a key at run time, for all processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitSetting {
    /// The name of the limit on the wire.
    pub name: String,
    /// The limit that replaces the configured one; none to return to that. Of a quota only the
    /// capacity is used. It must have the scale of the configured limit.
    pub limit: Option<WireLimit>,
}

impl SyncRequest {
    /// The arguments of the script, joined by spaces.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = header(if self.is_peek { "peek" } else { "sync" }, &self.process, self.seq);
        let Self { lease_us, epoch, config, limits, waiters, .. } = self;
        let (strict, leaving) = (u8::from(self.is_strict), u8::from(self.is_leaving));
        append(&mut text, format_args!(" {lease_us} {epoch} {strict} {config} {leaving}"));
        append(&mut text, format_args!(" {} {}", limits.len(), waiters.len()));
        for limit in limits {
            let (kind, [a, b, c]) = limit.limit.kind.encode();
            append(&mut text, format_args!(" {} {kind} ", limit.name));
            append_capacity(&mut text, limit.limit.capacity);
            let LimitReport { spent, debt, bind, want, restore, .. } = limit;
            append(&mut text, format_args!(" {a} {b} {c} {spent} {debt} {bind} {want} {restore}"));
        }
        for waiter in waiters {
            text.push_str(if waiter.is_reservation { " r" } else { " t" });
            for cost in &waiter.costs {
                append(&mut text, format_args!(" {cost}"));
            }
        }
        text
    }
}

/// The arguments that set limits of a key for all processes, or clear them.
#[must_use]
pub fn encode_set_limits(
    process: &str,
    seq: u64,
    lease_us: u64,
    limits: &[LimitSetting],
) -> String {
    let mut text = header("limits", process, seq);
    append(&mut text, format_args!(" {lease_us} 0 0 - 0 {} 0", limits.len()));
    for LimitSetting { name, limit } in limits {
        append(&mut text, format_args!(" {name} "));
        match limit {
            None => text.push_str("- 0 0"),
            Some(WireLimit { kind, capacity }) => {
                let (_, [a, b, _]) = kind.encode();
                append_capacity(&mut text, *capacity);
                append(&mut text, format_args!(" {a} {b}"));
            }
        }
    }
    text
}

/// The arguments that set what is consumed of all limits of a key to 0. Credit stays lent.
#[must_use]
pub fn encode_reset(process: &str, seq: u64, lease_us: u64) -> String {
    let mut text = header("reset", process, seq);
    append(&mut text, format_args!(" {lease_us} 0 0 - 0 0 0"));
    text
}

impl WireKind {
    fn encode(self) -> (char, [u64; 3]) {
        match self {
            Self::Rate { quanta, us } => ('r', [quanta, us, 0]),
            Self::Quota { start_us, end_us, next_end_us } => ('q', [start_us, end_us, next_end_us]),
            Self::Concurrency => ('c', [0, 0, 0]),
        }
    }
}

fn header(operation: &str, process: &str, seq: u64) -> String {
    format!("{operation} {process} {seq}")
}

fn append(text: &mut String, arguments: std::fmt::Arguments) {
    // Writing to a string does not fail.
    let _ = text.write_fmt(arguments);
}

fn append_capacity(text: &mut String, capacity: Option<u64>) {
    match capacity {
        Some(capacity) => append(text, format_args!("{capacity}")),
        None => text.push_str("-1"),
    }
}
