//! Random calls of the whole C ABI, one after the other, on threads that end in between.
//!
//! Whatever is called with whatever handles, numbers and buffers: nothing panics, hangs, or writes where it
//! may not, and counts of one text are equal.
#![no_main]

mod limiters;
mod pools;
mod state;
mod tokenizers;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sluice::process::library::sluice_library_abi_hash;
use state::State;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One call, by what it is about.
#[derive(Arbitrary, Debug)]
enum Call<'a> {
    Tokenizer(tokenizers::Call<'a>),
    Limiter(limiters::Call<'a>),
    Pool(pools::Call<'a>),
    /// The thread ends, and another one goes on with its handles.
    EndOfThread,
}

/// The most calls of a thread. More of them find nothing that fewer do not.
const MOST_CALLS: usize = 200;

fuzz_target!(|calls: Vec<Call<'_>>| {
    sluice_library_abi_hash();
    let mut state = State::default();
    for part in calls.split(|call| matches!(call, Call::EndOfThread)) {
        let went = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                catch_unwind(AssertUnwindSafe(|| {
                    part.iter().take(MOST_CALLS).for_each(|call| run(call, &mut state));
                }))
            });
            thread.join().expect("panics are caught")
        });
        if let Err(payload) = went {
            let message = payload.downcast_ref::<String>().map_or("an assertion", String::as_str);
            // The library keeps panics off stderr, those of this program among them.
            eprintln!("FAILED: {message}\n{calls:#?}");
            std::process::abort();
        }
    }
});

fn run(call: &Call<'_>, state: &mut State) {
    match call {
        Call::Tokenizer(call) => call.run(state),
        Call::Limiter(call) => call.run(state),
        Call::Pool(call) => call.run(state),
        Call::EndOfThread => {}
    }
}
