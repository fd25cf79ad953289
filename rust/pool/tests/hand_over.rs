//! Hand-over between Workers, under a scheduler that tries the orders of their steps.
//!
//! The protocol is that of `src/pool/member.ts` and `src/pool/bell.ts`: the machine behind a mutex; who
//! releases rings whom it is told to; who waits reads its bell, collects, and sleeps only if the
//! bell did not ring since. The safety poll is left out, so a ring that can be lost is a deadlock
//! here, which shuttle reports.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use shuttle::sync::{Arc, Condvar, Mutex};
use shuttle::thread;
use sluice_pool::{
    Acquired, Answer, LeaseId, NEVER, Outcome, Pool, Settings, UpstreamSettings, WaiterId,
};

/// A word on which one sleeps, as `Atomics.waitAsync` and `Atomics.notify` have it.
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

    /// Rings whom a call said to ring: each is its own crossing, as in JavaScript.
    fn ring(&self) {
        loop {
            let next = self.pool.lock().expect("lock").take_ring();
            let Some(bell) = next else { return };
            self.bells[bell as usize].ring();
        }
    }

    fn acquire(&self, worker: usize) -> Result<LeaseId, WaiterId> {
        let acquired = self.pool.lock().expect("lock").wait(worker as u32, None, 0, NEVER, 0);
        match acquired.expect("room in line") {
            Acquired::Lease(lease) => Ok(lease),
            Acquired::Place(place) => Err(place),
        }
    }

    fn wait(&self, worker: usize, place: WaiterId) -> LeaseId {
        loop {
            let seen = self.bells[worker].read();
            let answer = self.pool.lock().expect("lock").collect(worker as u32, 0);
            match answer {
                Some((served, Answer::Lease(lease))) => {
                    assert_eq!(served, place);
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
            Err(place) if aborts && round % 2 == worker % 2 => {
                process.pool.lock().expect("lock").cancel(worker as u32, place, 0);
                process.ring();
                continue;
            }
            Err(place) => process.wait(worker, place),
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
fn no_wake_up_is_lost_when_some_give_up() {
    shuttle::check_random(|| run(4, 1, 4, true), 3000);
}

#[test]
fn no_wake_up_is_lost_when_a_worker_dies() {
    let body = || {
        let process = Process::new(3, 1);
        let victim = {
            let process = Arc::clone(&process);
            thread::spawn(move || {
                // Dies with a lease, or in line, or handed one that it never collects.
                let _ = process.acquire(0);
                process.pool.lock().expect("lock").reap(0, 0);
                // Nobody rings for the dead: others see it when they look, which is the poll.
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
