//! Random requests of four processes that share a key, most of them as a real process sends them.

use sluice_limiter::shared::message::{
    LimitReport, LimitSetting, Reply, SyncRequest, Waiter, WireKind, WireLimit, encode_reset,
    encode_set_limits,
};

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True once in this many times.
    pub(crate) fn is_one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A number up to `most`; small ones and `most` itself are as likely as others.
    fn up_to(&mut self, most: u64) -> u64 {
        match self.below(6) {
            0 => 0,
            1 => most,
            2 => self.below(4).min(most),
            _ => self.below(most + 1),
        }
    }
}

/// Some of its amounts are near 2^52. What is bound is small then, because the sum of what is lent
/// may not exceed 2^52.
const MOST: u64 = 1 << 52;
const MOST_BIND: u64 = 1 << 40;

#[derive(Clone)]
struct Limit {
    name: String,
    kind: char,
    capacity: Option<u64>,
    /// Rate: quanta and microseconds. Quota: the length of the window.
    a: u64,
    b: u64,
}

#[derive(Default)]
struct Process {
    seq: u64,
    epoch: u64,
    /// Credit of each limit by the last reply.
    granted: Vec<u64>,
    texts: Vec<(String, usize)>,
}

/// A key, its limits and its processes.
pub(crate) struct World {
    random: Random,
    limits: Vec<Limit>,
    processes: Vec<Process>,
    lease_us: u64,
    is_strict: bool,
    /// Who sent the last request, how many waiters it had, and whether it was a sync.
    last: (usize, usize, usize),
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let lease_us = [5_000, 20_000, 50_000][random.below(3) as usize];
        let is_strict = random.is_one_in(3);
        let limits = (0..=random.below(3)).map(|n| limit(&mut random, n)).collect();
        let processes = (0..4).map(|_| Process::default()).collect();
        Self { random, limits, processes, lease_us, is_strict, last: (0, 0, 0) }
    }

    pub(crate) fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// The next request, at about this time of the server.
    pub(crate) fn request(&mut self, about_us: u64) -> String {
        let who = self.random.below(4) as usize;
        match self.random.below(60) {
            0 => return self.set_limits(who),
            1 if self.random.is_one_in(3) => {
                self.last = (who, 0, 0);
                return encode_reset(&name(who), 0, self.lease_us);
            }
            2..=9 if !self.processes[who].texts.is_empty() => {
                // An old copy, or the last request again.
                let texts = &self.processes[who].texts;
                let back = self.random.below(3).min(texts.len() as u64 - 1) as usize;
                let (text, waiters) = texts[texts.len() - 1 - back].clone();
                self.last =
                    (who, waiters, text.split(' ').nth(8).map_or(0, |m| m.parse().unwrap_or(0)));
                return text;
            }
            _ => {}
        }
        let is_peek = self.random.is_one_in(15);
        let request = self.sync(who, is_peek, about_us);
        self.last = (who, request.waiters.len(), request.limits.len());
        let text = request.encode();
        if !is_peek {
            self.processes[who].texts.push((text.clone(), request.waiters.len()));
        }
        text
    }

    fn sync(&mut self, who: usize, is_peek: bool, about_us: u64) -> SyncRequest {
        let random = &mut self.random;
        let process = &mut self.processes[who];
        process.seq += u64::from(!is_peek);
        // A process of another version may not know the last limit.
        let known = self.limits.len() - usize::from(self.limits.len() > 1 && who == 3);
        let waiters: Vec<_> = (0..random.below(4))
            .map(|_| Waiter {
                is_reservation: random.is_one_in(3),
                costs: self.limits[..known].iter().map(|limit| cost(random, limit)).collect(),
            })
            .collect();
        let mut limits = Vec::new();
        for (n, limit) in self.limits[..known].iter().enumerate() {
            let granted = process.granted.get(n).copied().unwrap_or(0);
            let spent = random.up_to(granted);
            let mut bind = random.up_to(granted - spent).min(MOST_BIND);
            let (mut spent, mut debt, mut restore) = (spent, 0, 0);
            if random.is_one_in(8) {
                let most = limit.capacity.unwrap_or(1_000);
                (spent, debt) = (random.up_to(most), random.up_to(most));
                bind = random.up_to(most.min(MOST_BIND));
                restore = random.up_to(if limit.kind == 'c' { most.min(MOST_BIND) } else { most });
            }
            let want = if random.is_one_in(3) { 0 } else { cost(random, limit) };
            limits.push(LimitReport {
                name: limit.name.clone(),
                limit: limit.wire(random, about_us),
                spent,
                debt,
                bind,
                want,
                restore,
            });
        }
        SyncRequest {
            is_peek,
            process: name(who),
            seq: process.seq,
            lease_us: self.lease_us,
            is_leaving: random.is_one_in(20),
            epoch: if random.is_one_in(15) { 1 } else { process.epoch },
            is_strict: self.is_strict,
            config: if who == 3 { "other".into() } else { "config".into() },
            limits,
            waiters,
        }
    }

    fn set_limits(&mut self, who: usize) -> String {
        let random = &mut self.random;
        let is_clearing = random.is_one_in(2);
        let mut settings = Vec::new();
        for limit in &self.limits {
            let half = limit.capacity.map_or(5, |capacity| capacity / 2);
            let capacity = if random.is_one_in(6) { None } else { Some(half) };
            let set = WireLimit { kind: limit.kind(0), capacity };
            if is_clearing || random.is_one_in(2) {
                let name = limit.name.clone();
                let limit = (!is_clearing).then_some(set);
                settings.push(LimitSetting { name, limit });
            }
        }
        self.last = (who, 0, 0);
        encode_set_limits(&name(who), 0, self.lease_us, &settings)
    }

    /// Takes note of the reply to the last request.
    pub(crate) fn answer(&mut self, reply: &str) {
        let (who, waiters, limits) = self.last;
        let reply = Reply::decode(reply, limits, waiters).expect("a reply");
        let process = &mut self.processes[who];
        if let Reply::Synced(reply) = reply
            && reply.seq == process.seq
        {
            process.epoch = reply.epoch;
            process.granted = reply.limits.iter().map(|limit| limit.granted).collect();
        }
    }
}

impl Limit {
    fn kind(&self, about_us: u64) -> WireKind {
        match self.kind {
            'r' => WireKind::Rate { quanta: self.a, us: self.b },
            'q' => {
                let start_us = about_us - about_us % self.a;
                let (end_us, next_end_us) = (start_us + self.a, start_us + 2 * self.a);
                WireKind::Quota { start_us, end_us, next_end_us }
            }
            _ => WireKind::Concurrency,
        }
    }

    fn wire(&self, random: &mut Random, about_us: u64) -> WireLimit {
        // The clock of the process may be off by a window or two.
        let off = self.a * [0, 0, 0, 0, 1, 2][random.below(6) as usize];
        let ahead = random.is_one_in(2);
        let about_us = if ahead { about_us + off } else { about_us.saturating_sub(off) };
        let capacity = self.capacity;
        WireLimit { kind: self.kind(if self.kind == 'q' { about_us } else { 0 }), capacity }
    }
}

fn name(who: usize) -> String {
    format!("{who:x}f{who}0")
}

fn limit(random: &mut Random, n: u64) -> Limit {
    let most = [20, 1_000_000_000, MOST - (1 << 43)][random.below(3) as usize];
    let capacity = random.below(most) + random.below(10).min(1);
    let capacity = if random.is_one_in(10) { None } else { Some(capacity) };
    // A rate fills its bucket within a few milliseconds to a second.
    let most_us = [10, 1_000, 1 << 20][random.below(3) as usize];
    let us = 1 + random.below(most_us);
    let fill_us = 3_000 + random.below(1_000_000);
    let quanta = u128::from(capacity.unwrap_or(most)) * u128::from(us) / u128::from(fill_us);
    let kind = ['r', 'r', 'q', 'c'][random.below(4) as usize];
    let quanta = (quanta as u64).clamp(1, 1 << 40);
    let window = [40_000, 300_000, 86_400_000_000][random.below(3) as usize];
    let (a, b) = if kind == 'q' { (window, 0) } else { (quanta, us) };
    Limit { name: ["requests", "tokens", "a%20b.c_%2Fd"][n as usize].into(), kind, capacity, a, b }
}

fn cost(random: &mut Random, limit: &Limit) -> u64 {
    let capacity = limit.capacity.unwrap_or(1_000);
    match random.below(12) {
        0 => (capacity + random.below(3)).min(MOST),
        1 => 0,
        _ => random.up_to(capacity / 4 + 1),
    }
}
