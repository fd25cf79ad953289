//! The tables that each thread has.
//!
//! Memory is taken on a thread's first text, 128 KiB and some more of which only the pages in use count; the piece
//! caches in it grow to 12 MiB. A thread that ends leaves its tables to the next one. Where a thread is about to end and its tables are gone,
//! empty ones serve.

use crate::recent::Recent;
use std::{cell::RefCell, sync::Mutex};

/// Tables of so many threads that have ended wait for the next ones: helpers of a batch live as long as
/// the batch, and to learn words anew costs each as much as some megabytes of text.
const KEPT: usize = 4;

static LEFT: Mutex<Vec<Recent>> = Mutex::new(Vec::new());

/// The tables that a thread has, if it has any yet.
struct Own(Option<Recent>);

impl Drop for Own {
    fn drop(&mut self) {
        if let (Some(recent), Ok(mut left)) = (self.0.take(), LEFT.lock())
            && left.len() < KEPT
        {
            left.push(recent);
        }
    }
}

thread_local! {
    static RECENT: RefCell<Own> = const { RefCell::new(Own(None)) };
}

/// Calls `work` with this thread's tables, or with empty ones where they are gone.
#[inline(always)]
pub(crate) fn with<R>(work: impl FnOnce(&mut Recent) -> R) -> R {
    let mut work = Some(work);
    let done = RECENT.try_with(|recent| {
        let mut recent = recent.try_borrow_mut().ok()?;
        Some(work.take()?(recent.0.get_or_insert_with(take)))
    });
    match (done, work) {
        (Ok(Some(result)), _) => result,
        (_, Some(work)) => work(&mut Recent::new()),
        // Not reached: `work` is taken only for a result.
        (_, None) => unreachable!(),
    }
}

/// The tables of a thread that has ended, or empty ones.
#[cold]
fn take() -> Recent {
    let left = LEFT.lock().ok().and_then(|mut left| left.pop());
    left.unwrap_or_else(Recent::new)
}
