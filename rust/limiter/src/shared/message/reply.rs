//! The decoder of replies: one word at a time, with as many limits and waiters as the request had.

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
