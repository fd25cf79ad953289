//! The texts of a call and of its reply: words separated by single spaces.
//!
//! The words of a call are the arguments of the script, see `pool.lua`. Ids are percent-encoded, so that they
//! contain neither a space nor anything that a script could misread.

use std::fmt::Write;

/// What a process reports about the probe of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeReport {
    /// It has none, and needs none.
    None,
    /// It would like to probe.
    Ask,
    /// It is probing, or about to.
    Hold,
    /// Its probe found the upstream healthy.
    Good,
    /// Its probe failed; no process needs to try again for this many milliseconds.
    Failed(u64),
}

/// What the store answers about the probe of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeAnswer {
    /// Nothing to say.
    None,
    /// The probe is this process's.
    Granted,
    /// The probe is another's, or one has failed a moment ago.
    Taken,
    /// The upstream is healthy: another's probe succeeded since it asked for its rest.
    Recovered,
}

/// What a process reports of one upstream, and asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The id, see [`encode_id`].
    pub name: Box<str>,
    /// The permits that all processes may hold.
    pub cap: u32,
    /// What is in use.
    pub used: u32,
    /// What may be in use until the reply comes.
    pub bind: u32,
    /// How many permits it would like to hold.
    pub want: u32,
    /// How many more its waiters need.
    pub need: u32,
    /// How many it could use at all.
    pub most: u32,
    /// Whether it has ejected the upstream.
    pub ejected: bool,
    /// How long the upstream asked not to be used, from now on, in milliseconds.
    pub rest: u64,
    /// The probe.
    pub probe: ProbeReport,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The id of the process.
    pub process: Box<str>,
    /// Grows with each call.
    pub seq: u64,
    /// How long the permits last, in milliseconds; 0 leaves.
    pub lease: u64,
    /// The epoch of the last reply, or 0.
    pub epoch: u64,
    /// Whether nothing is granted for one lease time after a loss of state.
    pub strict: bool,
    /// The permits that all processes may hold of all upstreams.
    pub cap: u32,
    /// How many callers wait.
    pub waiting: u32,
    /// The upstreams.
    pub rows: Vec<Row>,
}

impl Request {
    /// The arguments of the script.
    #[must_use]
    pub fn encode(&self) -> String {
        let (strict, rows) = (u8::from(self.strict), self.rows.len());
        let lease = self.lease.saturating_mul(1000);
        let mut text = format!(
            "{} {} {lease} {} {strict} {} {} {rows}",
            self.process, self.seq, self.epoch, self.cap, self.waiting
        );
        for row in &self.rows {
            let Row { name, cap, used, bind, want, need, most, ejected, rest, probe } = row;
            let probe = match probe {
                ProbeReport::None => 0,
                ProbeReport::Ask => 1,
                ProbeReport::Hold => 2,
                ProbeReport::Good => 3,
                ProbeReport::Failed(millis) => 4 + millis,
            };
            let ejected = u8::from(*ejected);
            // Writing to a string does not fail.
            let _ = write!(
                text,
                " {name} {cap} {used} {bind} {want} {need} {most} {ejected} {rest} {probe}"
            );
        }
        text
    }
}

/// What the store grants and tells of one upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyRow {
    /// The permits that the process holds.
    pub held: u32,
    /// The permits that it should use at most, because others need some.
    pub goal: u32,
    /// The permits that all processes hold.
    pub fleet: u32,
    /// How many processes have ejected it.
    pub ejected: u32,
    /// How long it rests from now on, in milliseconds.
    pub rest: u64,
    /// The probe.
    pub probe: ProbeAnswer,
}

/// A reply to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The call that it is for.
    pub seq: u64,
    /// The store's time in microseconds.
    pub now: u64,
    /// The epoch of the store's state.
    pub epoch: u64,
    /// Whether the state was lost since the process last called.
    pub lost: bool,
    /// The processes that take part.
    pub holders: u32,
    /// The permits that all processes hold of all upstreams.
    pub fleet: u32,
    /// The permits of all upstreams that the process should use at most.
    pub goal: u32,
    /// How many waiters got nothing.
    pub left: u32,
    /// The upstreams, as in the call.
    pub rows: Vec<ReplyRow>,
}

/// What comes back from a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The reply.
    Reply(Reply),
    /// The store knows this call, or a newer one.
    Old(u64),
}

impl Answer {
    /// Reads a reply; none if it is no reply of the script.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let kind = words.next()?;
        let numbers: Vec<u64> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
        let mut numbers = numbers.into_iter();
        let mut next = || numbers.next();
        let seq = next()?;
        match kind {
            "old" => return Some(Self::Old(seq)),
            "ok" => {}
            _ => return None,
        }
        let (now, epoch, lost) = (next()?, next()?, next()? != 0);
        let mut small = || Some(u32::try_from(next()?).unwrap_or(u32::MAX));
        let (holders, fleet, goal, left) = (small()?, small()?, small()?, small()?);
        let mut rows = Vec::new();
        while let Some(held) = next() {
            let mut small = || Some(u32::try_from(next()?).unwrap_or(u32::MAX));
            let (goal, fleet, ejected) = (small()?, small()?, small()?);
            let rest = next()?;
            let probe = match next()? {
                0 => ProbeAnswer::None,
                1 => ProbeAnswer::Granted,
                2 => ProbeAnswer::Taken,
                3 => ProbeAnswer::Recovered,
                _ => return None,
            };
            let held = u32::try_from(held).ok()?;
            rows.push(ReplyRow { held, goal, fleet, ejected, rest, probe });
        }
        Some(Self::Reply(Reply { seq, now, epoch, lost, holders, fleet, goal, left, rows }))
    }
}

/// Percent-encodes an id as `encodeURIComponent` does. O(length).
#[must_use]
pub fn encode_id(id: &str) -> Box<str> {
    let mut text = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            text.push(byte as char);
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_of_another_script_is_refused() {
        for text in [
            "",
            "ok",
            "ok x",
            "no 1",
            "ok 1 2 3",
            "ok 1 2 3 0 1 1 1 0 5",
            "ok 1 2 3 0 1 1 1 0 5 5 5 0 0 9",
        ] {
            assert_eq!(Answer::decode(text), None, "{text:?}");
        }
        assert_eq!(Answer::decode("old 7"), Some(Answer::Old(7)));
        let reply = Answer::decode("ok 1 2 3 1 4 5 6 7 8 9 10 11 12 3");
        let Some(Answer::Reply(reply)) = reply else { panic!("{reply:?}") };
        assert_eq!((reply.lost, reply.holders, reply.left), (true, 4, 7));
        let probe = ProbeAnswer::Recovered;
        let row = ReplyRow { held: 8, goal: 9, fleet: 10, ejected: 11, rest: 12, probe };
        assert_eq!(reply.rows, [row]);
    }

    #[test]
    fn an_id_has_no_space_and_no_separator() {
        assert_eq!(
            &*encode_id("https://a.example/v1 key:ä"),
            "https%3A%2F%2Fa.example%2Fv1%20key%3A%C3%A4"
        );
        assert_eq!(&*encode_id("1e5-_.!~*'()"), "1e5-_.!~*'()");
    }
}
