//! Configuration of the small world: the limit, the events that happen, and the rules that are left
//! out. Amounts are single units, and time is a tick in which a rate gives one unit back.

/// What the limit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rate,
    Quota,
    Concurrency,
}

/// What a process that is cut off does when its credit has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    Closed,
    /// A bucket of its own with its share of burst and rate.
    Share,
}

/// A rule of the protocol that is left out on purpose. Each must be found by the search, which shows
/// that the rule is needed and that the search can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Without {
    Nothing,
    /// The server takes back what the process did not want, also if it is being spent.
    Bind,
    /// A lease ends, also that of a process that says nothing.
    EndOfLease,
    /// A lease ends one lease time after the answer came, not after the request was sent.
    DeadlineFromSending,
    /// Credit whose lease ended is charged.
    ChargeOfTheDead,
    /// After a loss of state a key stands still for one lease time.
    StandingStill,
    /// A stamp in the future stays for at most one lease time.
    StampAhead,
    /// A process that leaves tells the lease time of the others.
    LeaseInBye,
    /// A request with a smaller or the same sequence number changes nothing.
    SequenceNumbers,
    /// What was charged at the end of a lease is corrected only by a newer request.
    SequenceOfCharge,
    /// An answer belongs to the request with its sequence number.
    SequenceOfAnswer,
    /// Reservations without credit do not raise the balance.
    BindWithinBalance,
    /// Credit of a quota ends with its window.
    WindowOfCredit,
    /// Reservations in flight win over the server's memory.
    Truth,
    /// Only reservations in flight win, not credit that is not used.
    TruthOfUse,
    /// Credit that ended before the answer came is not revived by it.
    EndOfCredit,
    /// A process with requests in flight does not leave.
    StayOfTheOpen,
    /// Credit lent above the capacity is not renewed.
    CapacityOfLoans,
    /// A late answer holds nothing when its lease is over.
    LateHold,
}

/// One configuration: the limit, which events happen, and which bound holds then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    pub(crate) kind: Kind,
    pub(crate) burst: u8,
    pub(crate) lease: u8,
    /// Length of a quota's window in ticks.
    pub(crate) window: u8,
    /// The most that may be admitted and not yet decayed.
    pub(crate) bound: u8,
    /// The most a process would like to hold.
    pub(crate) want: u8,
    /// A grant is at most half of what is free, divided by the holders.
    pub(crate) halves: bool,
    pub(crate) reserves: bool,
    pub(crate) resends: bool,
    /// The network keeps a copy of a request, which arrives at any later time.
    pub(crate) copies: bool,
    pub(crate) bye: bool,
    pub(crate) crash: bool,
    /// The clock of a process stops.
    pub(crate) freeze: bool,
    pub(crate) loss: bool,
    pub(crate) strict: bool,
    pub(crate) failover: bool,
    pub(crate) step_back: bool,
    pub(crate) step_forward: bool,
    /// The server is gone for any time, for all processes.
    pub(crate) down: bool,
    pub(crate) outage: Outage,
    /// Requests in flight are ended with the lease.
    pub(crate) aborts: bool,
    pub(crate) without: Without,
}

impl World {
    pub(crate) const RATE: World = World {
        kind: Kind::Rate,
        burst: 2,
        lease: 2,
        window: 3,
        bound: 2,
        want: 2,
        halves: false,
        reserves: false,
        resends: false,
        copies: false,
        bye: false,
        crash: false,
        freeze: false,
        loss: false,
        strict: false,
        failover: false,
        step_back: false,
        step_forward: false,
        down: false,
        outage: Outage::Closed,
        aborts: false,
        without: Without::Nothing,
    };
    pub(crate) const QUOTA: World = World { kind: Kind::Quota, ..World::RATE };
    pub(crate) const CONCURRENCY: World =
        World { kind: Kind::Concurrency, reserves: true, ..World::RATE };

    pub(crate) fn lacks(&self, rule: Without) -> bool {
        self.without == rule
    }
}
