//! Hand-over between Workers, under a scheduler (shuttle) that explores the orders of their steps.
//!
//! The protocol is that of `src/pool/member.ts` and `src/bell.ts`. The state machine is behind
//! a mutex. A member that releases a lease rings the bells that it is given. A member that waits
//! reads its bell, collects, and sleeps only if the bell has not rung since. The safety poll is
//! left out, so a lost ring is a deadlock here, which shuttle reports.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use shuttle::sync::{Arc, Condvar, Mutex};
use shuttle::thread;
use sluice_pool::{
    Acquired, LeaseId, NEVER, Outcome, Pool, Settings, UpstreamSettings, WaitResult, WaiterId,
};

/// A word to sleep on, with the semantics of `Atomics.waitAsync` and `Atomics.notify`.
#[derive(Default)]
struct Bell {
    word: Mutex<u32>,
    rung: Condvar,
}

impl Bell {
    fn read(&self) -> u32 {
        *self.word.lock().expect("lock")
    }

    fn ring(&self) {
        *self.word.lock().expect("lock") += 1;
        self.rung.notify_all();
    }

    fn sleep(&self, seen: u32) {
        let mut word = self.word.lock().expect("lock");
        while *word == seen {
            word = self.rung.wait(word).expect("lock");
        }
    }
}

struct Process {
    pool: Mutex<Pool>,
    bells: Vec<Bell>,
}

impl Process {
    fn new(workers: usize, cap: u32) -> Arc<Self> {
        let mut pool = Pool::new(Settings::default());
        let upstream = UpstreamSettings { max_in_flight: cap, weight: 1.0, tier: 0 };
        pool.add_upstream("a", upstream, 0).expect("room");
        for worker in 0..workers {
            pool.join(worker as u32).expect("room");
        }
        let bells = (0..workers).map(|_| Bell::default()).collect();
        Arc::new(Self { pool: Mutex::new(pool), bells })
    }

    /// Rings the bells of a call; each is its own crossing, as in JavaScript.
    fn ring(&self) {
        loop {
            let next = self.pool.lock().expect("lock").take_ring();
            let Some(bell) = next else { return };
            self.bells[bell as usize].ring();
        }
    }

    fn acquire(&self, worker: usize) -> Result<LeaseId, WaiterId> {
        let acquired = self.pool.lock().expect("lock").wait(worker as u32, None, 0, NEVER, 0);
        match acquired.expect("room in the queue") {
            Acquired::Lease(lease) => Ok(lease),
            Acquired::Queued(waiter) => Err(waiter),
        }
    }

    fn wait(&self, worker: usize, waiter: WaiterId) -> LeaseId {
        loop {
            let seen = self.bells[worker].read();
            let answer = self.pool.lock().expect("lock").collect(worker as u32, 0);
            match answer {
                Some((served, WaitResult::Lease(lease))) => {
                    assert_eq!(served, waiter);
                    return lease;
                }
                Some(other) => panic!("{other:?}"),
                None => self.bells[worker].sleep(seen),
            }
        }
    }

    fn release(&self, worker: usize, lease: LeaseId) {
        let released =
            self.pool.lock().expect("lock").release(worker as u32, lease, Outcome::Ok, 0, 0);
        released.expect("held");
        self.ring();
    }
}

fn work(process: &Process, worker: usize, rounds: usize, aborts: bool) {
    for round in 0..rounds {
        let lease = match process.acquire(worker) {
            Ok(lease) => lease,
            Err(waiter) if aborts && round % 2 == worker % 2 => {
                process.pool.lock().expect("lock").cancel(worker as u32, waiter, 0);
                process.ring();
                continue;
            }
            Err(waiter) => process.wait(worker, waiter),
        };
        process.release(worker, lease);
    }
}

fn run(workers: usize, cap: u32, rounds: usize, aborts: bool) {
    let process = Process::new(workers, cap);
    let threads: Vec<_> = (0..workers)
        .map(|worker| {
            let process = Arc::clone(&process);
            thread::spawn(move || work(&process, worker, rounds, aborts))
        })
        .collect();
    for thread in threads {
        thread.join().expect("join");
    }
    assert_eq!(process.pool.lock().expect("lock").in_use(0), (0, 0, 0));
}

#[test]
fn no_wake_up_is_lost() {
    shuttle::check_random(|| run(3, 1, 3, false), 3000);
    shuttle::check_pct(|| run(3, 2, 3, false), 3000, 3);
}

#[test]
fn no_wake_up_is_lost_when_some_waiters_cancel() {
    shuttle::check_random(|| run(4, 1, 4, true), 3000);
}

#[test]
fn no_wake_up_is_lost_when_a_worker_dies() {
    let body = || {
        let process = Process::new(3, 1);
        let victim = {
            let process = Arc::clone(&process);
            thread::spawn(move || {
                // Dies with a lease, or in the queue, or with an offer that it never collects.
                let _ = process.acquire(0);
                process.pool.lock().expect("lock").reap(0, 0);
                // Nothing rings for a dead Worker: others see the change by the poll.
                process.ring();
            })
        };
        let threads: Vec<_> = (1..3)
            .map(|worker| {
                let process = Arc::clone(&process);
                thread::spawn(move || work(&process, worker, 2, false))
            })
            .collect();
        victim.join().expect("join");
        for thread in threads {
            thread.join().expect("join");
        }
        assert_eq!(process.pool.lock().expect("lock").in_use(1), (0, 0, 0));
    };
    shuttle::check_random(body, 3000);
}
