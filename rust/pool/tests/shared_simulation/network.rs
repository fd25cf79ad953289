//! Calls to the store and their replies: lost, repeated, late and out of order.

use crate::world::World;

pub(crate) enum Message {
    Call(String),
    /// A copy of a call, which comes late.
    Copy(String),
    Reply(String),
}

impl World {
    /// Makes a call if one is due, and sets the timer for the next one.
    pub(crate) fn call(&mut self, index: usize, asked: u32) {
        let now = self.time(index);
        let process = &mut self.processes[index];
        let id = process.id.clone();
        let text = process.pool.call(&id, asked, now);
        let due = process.pool.next_call(0);
        process.looks_at = self.now.saturating_add(due.saturating_sub(now).max(1));
        let Some(text) = text else { return };
        self.calls += 1;
        if self.is_lost(index) {
            return;
        }
        if self.random.odds(self.plan.twice, 1000) {
            let late = 1 + self.random.below(8000);
            self.send(index, Message::Copy(text.clone()), late);
        }
        let delay = self.delay(index);
        self.send(index, Message::Call(text), delay);
    }

    /// Gives everything back, as a process that closes.
    pub(crate) fn leave(&mut self, index: usize) -> bool {
        let now = self.time(index);
        let id = self.processes[index].id.clone();
        let text = self.processes[index].pool.leave_store(&id, now);
        let left = text.is_some();
        if let Some(text) = text {
            self.send(index, Message::Call(text), 1);
        }
        left
    }

    fn is_lost(&mut self, index: usize) -> bool {
        let process = &mut self.processes[index];
        if process.is_cut_off || !self.is_store_up {
            return true;
        }
        // At most three in a row: if the lease ends, it is a partition.
        let lost = process.losses < 3 && self.random.odds(self.plan.lost, 1000);
        process.losses = if lost { process.losses + 1 } else { 0 };
        lost
    }

    fn send(&mut self, index: usize, message: Message, delay: u64) {
        self.sent += 1;
        self.network.insert((self.now + delay, self.sent), (index, message));
    }

    pub(crate) fn deliver(&mut self, index: usize, message: Message) {
        let is_copy = matches!(message, Message::Copy(_));
        match message {
            Message::Call(text) | Message::Copy(text) => {
                if !self.is_store_up {
                    return;
                }
                let args: Vec<&str> = text.split(' ').collect();
                let reply = self.store.call(&args, self.server_time());
                if is_copy || !self.is_lost(index) {
                    let delay = self.delay(index);
                    self.send(index, Message::Reply(reply), delay);
                }
            }
            Message::Reply(text) => {
                let now = self.time(index);
                if self.processes[index].is_alive {
                    self.processes[index].pool.receive(&text, now);
                    self.call(index, 0);
                }
            }
        }
    }

    fn delay(&mut self, index: usize) -> u64 {
        // Each process has its own phases: three seconds of every seven.
        let phase = (self.now / 1000 + 2 * index as u64) % 7;
        if self.plan.is_slow && phase < 3 {
            let most = if self.random.odds(1, 2) { 1000 } else { 4000 };
            return 1 + self.random.below(most);
        }
        1 + self.random.below(3)
    }
}
