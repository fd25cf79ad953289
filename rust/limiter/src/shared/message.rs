//! The text protocol between a process and the script in the store: encoder of requests, decoder of
//! replies.
//!
//! A request is the script's arguments, joined by single spaces; no argument is empty or has a space.
//! Amounts are integers of quanta (see [`Plan`](crate::shared::Plan)), at most [`MOST_QUANTA`]. Times
//! are microseconds of the server's clock.

use std::fmt::Write;

/// The largest amount on the wire, 2^52: sums of two are exact in the doubles of Lua.
pub const MOST_QUANTA: u64 = 1 << 52;

/// A call of the script that reports, asks and renews, or that only looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRequest {
    /// Whether this only looks: the store writes nothing, and decides each waiter as if it were alone.
    pub is_peek: bool,
    /// The id of the process: letters and digits.
    pub process: String,
    /// The sequence number of the call. A repeated one gets the same answers and changes nothing; a
    /// smaller one than the last is answered by [`Reply::Old`].
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

/// What the script answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The call was served.
    Synced(SyncReply),
    /// A later call of this process was served before: this was an old copy, and changed nothing.
    Old {
        /// The number of the call.
        seq: u64,
    },
    /// The windows of a quota do not contain the server's time, so nothing was done. The request must
    /// be built anew.
    Clock {
        /// The number of the call.
        seq: u64,
        /// The server's time.
        now_us: u64,
    },
    /// Limits were set, or usage was reset.
    Done {
        /// The number of the call.
        seq: u64,
        /// When limits of this key were last set; 0 if it has none of its own.
        version: u64,
    },
}

/// The answer to a call that was served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncReply {
    /// The number of the call.
    pub seq: u64,
    /// When the store's state began. Another one than before: the state was lost.
    pub epoch: u64,
    /// The server's time.
    pub now_us: u64,
    /// Whether the store had lost the state since the epoch of the request.
    pub is_lost: bool,
    /// How many processes have an entry, this one included.
    pub holders: u64,
    /// Whether the last writer had another configuration.
    pub is_config_different: bool,
    /// When limits of this key were last set; 0 if it has none of its own.
    pub version: u64,
    /// One for each limit.
    pub limits: Vec<LimitGrant>,
    /// One for each waiter.
    pub results: Vec<WaiterResult>,
}

/// The state of one limit after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitGrant {
    /// The credit that the process holds now, what it was binding included.
    pub granted: u64,
    /// What is consumed or lent, by all.
    pub fill: u64,
    /// The capacity in effect; none if unlimited.
    pub capacity: Option<u64>,
    /// Quotas: microseconds until the window ends, when credit ends too. 0 for other kinds.
    pub window_left_us: u64,
}

/// The decision about one waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaiterResult {
    /// Admitted: charged, or lent for a reservation.
    Admitted,
    /// Refused; nothing was changed for it.
    Refused {
        /// The index of the limit that refuses for longest.
        limit: usize,
        /// For how long.
        wait: Wait,
    },
}

/// How long a limit refuses. Ordered: later variants last longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// Microseconds, if nothing else happens.
    Us(u64),
    /// Until held credit, a reservation or a place is given back.
    Held,
    /// For ever: the cost exceeds the capacity.
    Never,
}

/// A reply that is not one of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadReply;

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

impl Reply {
    /// Decodes the reply to a request with this number of limits and waiters.
    ///
    /// # Errors
    ///
    /// [`BadReply`] for any other text.
    pub fn decode(text: &str, limits: usize, waiters: usize) -> Result<Self, BadReply> {
        let mut words = text.split(' ');
        let reply = Self::read(&mut words, limits, waiters).ok_or(BadReply)?;
        if words.next().is_some() { Err(BadReply) } else { Ok(reply) }
    }

    /// The number of the call that it answers.
    #[must_use]
    pub fn seq(&self) -> u64 {
        match self {
            Self::Synced(reply) => reply.seq,
            Self::Old { seq } | Self::Clock { seq, .. } | Self::Done { seq, .. } => *seq,
        }
    }

    fn read<'a>(
        words: &mut impl Iterator<Item = &'a str>,
        limits: usize,
        waiters: usize,
    ) -> Option<Self> {
        let word = words.next()?;
        let seq = number(words)?;
        Some(match word {
            "old" => Self::Old { seq },
            "clock" => Self::Clock { seq, now_us: number(words)? },
            "done" => Self::Done { seq, version: number(words)? },
            "ok" => Self::Synced(SyncReply {
                seq,
                epoch: number(words)?,
                now_us: number(words)?,
                is_lost: flag(words)?,
                holders: number(words)?,
                is_config_different: flag(words)?,
                version: number(words)?,
                limits: (0..limits).map(|_| grant(words)).collect::<Option<_>>()?,
                results: (0..waiters).map(|_| result(words, limits)).collect::<Option<_>>()?,
            }),
            _ => return None,
        })
    }
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

fn number<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<u64> {
    words.next()?.parse().ok()
}

fn flag<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<bool> {
    match words.next()? {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

fn grant<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<LimitGrant> {
    let (granted, fill) = (number(words)?, number(words)?);
    let capacity = match words.next()? {
        "-1" => None,
        word => Some(word.parse().ok()?),
    };
    Some(LimitGrant { granted, fill, capacity, window_left_us: number(words)? })
}

fn result<'a>(words: &mut impl Iterator<Item = &'a str>, limits: usize) -> Option<WaiterResult> {
    let word = words.next()?;
    if word == "0" {
        return Some(WaiterResult::Admitted);
    }
    let (limit, wait) = word.split_once(':')?;
    let limit = limit.parse().ok().filter(|&limit| limit < limits)?;
    let wait = match wait {
        "-1" => Wait::Held,
        "-2" => Wait::Never,
        us => Wait::Us(us.parse().ok()?),
    };
    Some(WaiterResult::Refused { limit, wait })
}
