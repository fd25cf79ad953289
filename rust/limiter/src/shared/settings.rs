//! Settings of a shared limiter: how much a process asks for ahead, and what holds while the store
//! is out of reach.

/// How much credit a process asks for beyond what its calls need now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// None: each decision is a call to the store.
    Exact,
    /// As much as is used in a quarter of a second, if that is at least three calls.
    Auto,
    /// The same, if that is at least one call.
    Leased,
}

/// What a key has used when the store has lost its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnLoss {
    /// Nothing.
    Fresh,
    /// Everything, for one lease time; then it decays.
    Strict,
}

/// What a limit admits while the store is out of reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnOutage {
    /// A part of the limit: its rate, or what is left of its quota, divided by the processes.
    Share,
    /// Nothing.
    Closed,
    /// Everything.
    Open,
}

/// Settings of a shared limiter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How much is asked for ahead.
    pub mode: Mode,
    /// What a key has used after a loss of the store's state.
    pub on_loss: OnLoss,
    /// What each limit admits during an outage, in the order of the limits.
    pub on_outage: Vec<OnOutage>,
    /// How many processes share the limits at least.
    pub processes: u32,
    /// How long a process may spend credit after it asked for it, in nanoseconds.
    pub lease_ns: u64,
    /// After how long a call to the store has failed, in nanoseconds.
    pub timeout_ns: u64,
    /// The id of the process: a text of letters and digits, different at each start.
    pub process: String,
    /// A hash of the configuration, by which processes notice that theirs differ.
    pub stamp: String,
    /// The names of the limits.
    pub names: Vec<String>,
}
