//! Which permits a call is granted.

use super::Store;

/// One upstream of a call.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) cap: i64,
    pub(super) bind: i64,
    /// What may be in use.
    pub(super) least: i64,
    pub(super) want: i64,
    pub(super) need: i64,
    pub(super) most: i64,
    pub(super) ejected: i64,
    pub(super) rest: i64,
    pub(super) probe: i64,
    pub(super) held: i64,
    pub(super) had: i64,
    /// Of all processes.
    pub(super) demand: i64,
    pub(super) goal: i64,
    pub(super) ceiling: i64,
    pub(super) waits: i64,
    pub(super) starves: i64,
}

/// The permits of the pool, and who wants some.
pub(super) struct Cap {
    pub(super) most: i64,
    pub(super) waiting: i64,
    pub(super) holders: i64,
    pub(super) had: i64,
    pub(super) standing: bool,
}

/// What was granted, beside the permits in the rows.
pub(super) struct Granted {
    pub(super) left: i64,
    pub(super) goal: i64,
    pub(super) waits: i64,
    pub(super) starves: i64,
}

impl Store {
    pub(super) fn grant(&self, rows: &mut [Row], cap: &Cap) -> Granted {
        let &Cap { most, waiting, holders, had, standing } = cap;
        let share = |cap: i64, part: i64, whole: i64| {
            let due = if whole > 0 { cap * part / whole } else { cap };
            if holders <= cap { due.max(1) } else { due }
        };
        let limit = |goal: i64, had: i64| if goal < 1 && had == 0 { 1 } else { goal };
        let others = (self.total(|part| part.held), self.total(|part| part.demand));
        let mine = |rows: &[Row]| rows.iter().map(|row| row.held).sum::<i64>();
        let wished: i64 = rows.iter().map(|row| row.bind + row.need).sum();
        let (waits, starves) = self.short();
        let used = |rows: &[Row], name: &str| {
            let own = rows.iter().filter(|row| row.name == name).map(|row| row.held);
            self.held(name) + own.sum::<i64>()
        };
        for i in 0..rows.len() {
            let above = used(rows, &rows[i].name) - rows[i].cap;
            let excess = above.max(others.0 + mine(rows) - most).max(0);
            rows[i].held = rows[i].least.max(rows[i].held - excess);
        }
        let demand = others.1 + wished;
        let is_tight = starves > 0 || others.0 + mine(rows) > most;
        let mut goal = if is_tight { share(most, wished, demand) } else { most };
        let ceiling = limit(goal, had);
        for i in 0..rows.len() {
            let name = rows[i].name.clone();
            rows[i].demand = self.sum(|part| part.demand, &name)
                + rows.iter().filter(|r| r.name == name).map(|r| r.bind + r.need).sum::<i64>();
            if self.sum(|part| part.starves, &name) > 0 || used(rows, &name) > rows[i].cap {
                rows[i].goal = share(rows[i].cap, rows[i].bind + rows[i].need, rows[i].demand);
            }
            rows[i].ceiling = limit(rows[i].goal, rows[i].had);
        }
        let mut give = |rows: &mut [Row], i: usize, permits: i64| {
            let row = &rows[i];
            let room = (row.cap - used(rows, &row.name))
                .min(most - others.0 - mine(rows))
                .min(row.ceiling - row.held)
                .min(ceiling - mine(rows));
            let given = if standing { 0 } else { permits.min(room).max(0) };
            rows[i].held += given;
            if given > 0 {
                rows[i].goal = rows[i].goal.max(rows[i].held);
                goal = goal.max(mine(rows));
            }
            given
        };
        let mut left = waiting;
        for i in 0..rows.len() {
            let need = rows[i].need;
            left -= give(rows, i, need.min(left));
        }
        for i in 0..rows.len() {
            let more = rows[i].most - rows[i].held;
            left -= give(rows, i, more.min(left));
        }
        let has_little = |held: i64, cap: i64, part: i64, whole: i64| {
            i64::from(held < 1 || 4 * held * whole < 3 * cap * part)
        };
        let (mut short, mut little) = (0, 0);
        if left > 0 {
            if (most - others.0 - mine(rows)).min(ceiling - mine(rows)) <= 0 {
                (short, little) = (1, has_little(mine(rows), most, wished, demand));
            }
            for i in 0..rows.len() {
                let row = &rows[i];
                let here = (row.cap - used(rows, &row.name)).min(row.ceiling - row.held);
                if row.most > row.held && here <= 0 {
                    let part = row.bind + row.need;
                    let little = has_little(row.held, row.cap, part, row.demand);
                    (rows[i].starves, rows[i].waits) = (little, 1);
                }
            }
        } else if waits == 0 {
            for i in 0..rows.len() {
                let row = &rows[i];
                if self.sum(|part| part.waits, &row.name) == 0 && row.want > row.held {
                    let room =
                        (row.cap - used(rows, &row.name)).min(most - others.0 - mine(rows)).max(0);
                    let ahead = (row.want - row.held).min(room / (2 * holders.max(1)));
                    give(rows, i, ahead);
                }
            }
        }
        Granted { left, goal, waits: short, starves: little }
    }
}
