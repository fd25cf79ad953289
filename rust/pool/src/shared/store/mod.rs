//! The script's twin: the same calls have the same replies and leave the same fields. Where the script keeps
//! totals, the twin adds up what the processes reported.

mod grant;

use std::collections::{BTreeMap, BTreeSet};

use grant::{Cap, Granted, Row};

/// What a process reported of an upstream.
#[derive(Clone, Debug)]
struct Part {
    name: String,
    held: i64,
    demand: i64,
    waits: i64,
    starves: i64,
    ejected: i64,
}

/// What a process reported with its last call.
#[derive(Clone, Debug)]
struct Entry {
    end: i64,
    seq: i64,
    waits: i64,
    starves: i64,
    parts: Vec<Part>,
}

/// What is known of an upstream beside the permits.
#[derive(Clone, Debug, Default)]
struct Marks {
    rest: i64,
    back: i64,
    probe_end: i64,
    probe_owner: String,
}

/// The state of one pool in the store. Times are microseconds.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// When the state began; 0 if nothing is stored.
    pub epoch: i64,
    entries: BTreeMap<String, Entry>,
    marks: BTreeMap<String, Marks>,
    ends: i64,
    last: i64,
    /// How long the state is kept from the last call on, in milliseconds.
    pub expires_in: i64,
}

impl Store {
    /// Forgets everything, as a store that restarts without its data.
    pub fn lose(&mut self) {
        *self = Self::default();
    }

    /// The permits of an upstream that are held at a time.
    #[must_use]
    pub fn held_at(&self, name: &str, now: i64) -> i64 {
        let live = self.entries.values().filter(|entry| entry.end > now);
        let parts = live.flat_map(|entry| &entry.parts).filter(|part| part.name == name);
        parts.map(|part| part.held).sum()
    }

    fn held(&self, name: &str) -> i64 {
        self.sum(|part| part.held, name)
    }

    fn sum(&self, field: impl Fn(&Part) -> i64, name: &str) -> i64 {
        let parts = self.entries.values().flat_map(|entry| &entry.parts);
        parts.filter(|part| part.name == name).map(field).sum()
    }

    fn total(&self, field: impl Fn(&Part) -> i64) -> i64 {
        self.entries.values().flat_map(|entry| &entry.parts).map(field).sum()
    }

    /// The processes that wait for a permit of the pool, and those that have too little.
    fn short(&self) -> (i64, i64) {
        let sum = |field: fn(&Entry) -> i64| self.entries.values().map(field).sum();
        (sum(|entry| entry.waits), sum(|entry| entry.starves))
    }

    /// Runs the script with the arguments `args` at the server's time `now`.
    pub fn call(&mut self, args: &[&str], now: i64) -> String {
        let number = |at: usize| args[at].parse::<i64>().unwrap_or(0);
        let (process, seq, lease, known) = (args[0], number(1), number(2), number(3));
        let (strict, most, waiting, count) = (args[4] == "1", number(5), number(6), number(7));
        if self.epoch == 0 {
            self.epoch = now;
        }
        let lost = known != 0 && known != self.epoch;
        let standing = strict && now < self.epoch + lease;
        if self.entries.get(process).is_some_and(|entry| seq <= entry.seq) {
            return format!("old {seq}");
        }
        let mut touched = BTreeSet::new();
        if self.ends > 0 && self.ends <= now {
            let ended = |entry: &Entry| entry.end <= now;
            for entry in self.entries.iter().filter(|(who, e)| *who != process && ended(e)) {
                touched.extend(entry.1.parts.iter().map(|part| part.name.clone()));
            }
            self.entries.retain(|who, entry| who == process || entry.end > now);
            let others = self.entries.iter().filter(|(who, _)| *who != process);
            self.ends = others.map(|(_, entry)| entry.end).min().unwrap_or(0);
        }
        let own = self.entries.remove(process);
        let before = |name: &str| {
            let own = own.as_ref().filter(|own| own.end > now);
            own.and_then(|own| own.parts.iter().rfind(|part| part.name == name))
                .map_or(0, |p| p.held)
        };
        touched.extend(own.iter().flat_map(|own| &own.parts).map(|part| part.name.clone()));
        let mut rows: Vec<Row> = (0..count as usize)
            .map(|i| {
                let at = |field: usize| number(8 + 10 * i + field);
                let name = args[8 + 10 * i].to_owned();
                let (used, bind, want, had) = (at(2), at(3), at(4), before(&name));
                let truth = if lost && now < self.epoch + lease { bind } else { used };
                let least = truth.max(had.min(bind));
                Row {
                    held: least.max(had.min(want)),
                    least,
                    cap: at(1),
                    bind,
                    want,
                    need: at(5),
                    most: at(6),
                    ejected: at(7),
                    rest: at(8),
                    probe: at(9),
                    had,
                    demand: 0,
                    goal: at(1),
                    ceiling: 0,
                    waits: 0,
                    starves: 0,
                    name,
                }
            })
            .collect();
        touched.extend(rows.iter().map(|row| row.name.clone()));
        let holders = self.entries.len() as i64 + i64::from(lease > 0);
        let had = own.as_ref().filter(|own| own.end > now);
        let had: i64 = had.map_or(0, |own| own.parts.iter().map(|part| part.held).sum());
        let cap = Cap { most, waiting, holders, had, standing };
        let Granted { left, goal, waits, starves } = self.grant(&mut rows, &cap);

        let fleet = self.total(|part| part.held) + rows.iter().map(|row| row.held).sum::<i64>();
        let mut reply = format!(
            "ok {seq} {now} {} {} {holders} {fleet} {goal} {left}",
            self.epoch,
            i64::from(lost)
        );
        self.last = self.last.max(now + lease);
        for row in &rows {
            let answer = self.probe(row, process, lease, now);
            let marks = &self.marks[&row.name];
            self.last = self.last.max(marks.rest).max(marks.probe_end);
            let rest = (marks.rest - now + 999).div_euclid(1000).max(0);
            let same = |other: &&Row| other.name == row.name;
            let fleet =
                self.held(&row.name) + rows.iter().filter(same).map(|r| r.held).sum::<i64>();
            let ejected = self.sum(|part| part.ejected, &row.name)
                + rows.iter().filter(same).map(|r| r.ejected).sum::<i64>();
            let Row { held, goal, .. } = row;
            reply.push_str(&format!(" {held} {goal} {fleet} {ejected} {rest} {answer}"));
        }
        if lease > 0 {
            self.ends = if self.ends == 0 { now + lease } else { self.ends.min(now + lease) };
            let parts = rows.iter().map(|row| Part {
                name: row.name.clone(),
                held: row.held,
                demand: row.bind + row.need,
                waits: row.waits,
                starves: row.starves,
                ejected: row.ejected,
            });
            let entry = Entry { end: now + lease, seq, waits, starves, parts: parts.collect() };
            self.entries.insert(process.to_owned(), entry);
        }
        for name in touched {
            let used = self.sum(|p| p.held + p.demand + p.waits + p.starves + p.ejected, &name);
            let marks = self.marks.entry(name.clone()).or_default();
            if used == 0 && marks.rest.max(marks.back).max(marks.probe_end) + lease <= now {
                self.marks.remove(&name);
            }
        }
        self.expires_in = (self.last - now + 999).div_euclid(1000) + 1000;
        reply
    }

    /// The answer about the probe of a row.
    fn probe(&mut self, row: &Row, process: &str, lease: i64, now: i64) -> i64 {
        let marks = self.marks.entry(row.name.clone()).or_default();
        if row.rest > 0 {
            marks.rest = marks.rest.max(now + row.rest * 1000);
        }
        let (mine, free) = (marks.probe_owner == process, marks.probe_end <= now);
        let mut answer = 0;
        if row.probe == 1 && row.ejected == 0 && marks.rest > 0 && marks.back >= marks.rest {
            answer = 3;
        } else if row.probe == 2 || (row.probe == 1 && marks.rest <= now) {
            answer = 2;
            if (free || mine) && lease > 0 {
                (marks.probe_end, answer) = (now + lease, 1);
                process.clone_into(&mut marks.probe_owner);
            }
        } else if mine {
            marks.probe_end = 0;
            marks.probe_owner.clear();
        }
        if row.probe == 3 {
            marks.back = now;
        }
        if row.probe >= 4 && (free || mine) {
            marks.probe_end = now + (row.probe - 4) * 1000;
            marks.probe_owner.clear();
        }
        answer
    }

    /// The fields of the hash.
    #[must_use]
    pub fn fields(&self) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        let (held, demand) = (self.total(|part| part.held), self.total(|part| part.demand));
        let ((waits, starves), holders) = (self.short(), self.entries.len());
        let (ends, last) = (self.ends, self.last);
        let totals = format!("{held} {demand} {waits} {starves} {holders} {ends} {last}");
        fields.insert("h".to_owned(), totals);
        for (process, entry) in &self.entries {
            let Entry { end, seq, waits, starves, parts } = entry;
            let mut text = format!("{end} {seq} {waits} {starves}");
            for Part { name, held, demand, waits, starves, ejected } in parts {
                text.push_str(&format!(" :{name} {held} {demand} {waits} {starves} {ejected}"));
            }
            fields.insert(format!("p.{process}"), text);
        }
        for (name, marks) in &self.marks {
            let Marks { rest, back, probe_end, probe_owner } = marks;
            let held = self.held(name);
            let demand = self.sum(|part| part.demand, name);
            let waits = self.sum(|part| part.waits, name);
            let starves = self.sum(|part| part.starves, name);
            let ejected = self.sum(|part| part.ejected, name);
            let totals = format!("{held} {demand} {waits} {starves} {ejected}");
            let text = format!("{totals} {rest} {back} {probe_end} :{probe_owner}");
            fields.insert(format!("u.{name}"), text);
        }
        fields
    }
}
