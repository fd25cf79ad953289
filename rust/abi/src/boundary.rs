//! The one wall between Rust and a foreign caller: every exported body runs inside [`boundary`].
//!
//! A panic that crosses `extern "C"` aborts the process, in Bun and in Deno alike. Here it becomes
//! [`SluiceStatus::Panic`]. `catch_unwind` costs nothing measurable on the path without a panic.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::status::{Failure, Outcome, SluiceStatus};

thread_local! {
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs the body of an exported function and turns its outcome into the ABI's `int32_t`.
///
/// `AssertUnwindSafe`: shared state (tokenizer tables, handle tables) is either immutable or
/// repaired by its own locks; the caller's output buffers may hold a partial result, as documented
/// for every failed call.
pub(crate) fn boundary(body: impl FnOnce() -> Outcome) -> i32 {
    walled(|| body().unwrap_or_else(refuse), |status| status)
}

/// [`boundary`] for functions that return a `double`.
#[inline]
pub(crate) fn boundary_f64(body: impl FnOnce() -> Result<f64, Failure>) -> f64 {
    walled(|| body().unwrap_or_else(|failure| f64::from(refuse(failure))), f64::from)
}

/// Calls `body`, and tells a panic in it as a status. Whatever goes wrong while that is told is not
/// told, but does not get any further either.
#[inline]
fn walled<R>(body: impl FnOnce() -> R, status: impl FnOnce(i32) -> R) -> R {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| status(tell(payload)))
}

#[cold]
fn tell(payload: Box<dyn Any + Send>) -> i32 {
    let told = catch_unwind(AssertUnwindSafe(|| {
        let failure = failure_of(&*payload);
        drop(payload);
        refuse(failure)
    }));
    told.unwrap_or_else(|payload| {
        // To drop it could panic once more.
        std::mem::forget(payload);
        SluiceStatus::Panic as i32
    })
}

/// The part of [`boundary`] that also work on other threads needs: a panic becomes a failure.
pub(crate) fn caught<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(failure_of(&*payload)))
}

/// Hands the last failure's message of this thread to `read`; an empty one where a thread is about to
/// end and its message is gone.
pub(crate) fn with_last_error<R>(read: impl Fn(&str) -> R) -> R {
    LAST_ERROR.try_with(|message| read(&message.borrow())).unwrap_or_else(|_| read(""))
}

/// Keeps panics off the user's stderr: they are reported as a status instead.
///
/// The hook belongs to this library's own copy of the standard library and touches no other
/// Rust code of the process.
pub(crate) fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

#[cold]
fn refuse(failure: Failure) -> i32 {
    // A thread that ends may call when its message is gone already: the status alone is told then.
    let _ = LAST_ERROR.try_with(|message| {
        let mut message = message.borrow_mut();
        message.clear();
        message.push_str(&failure.message);
    });
    failure.status as i32
}

fn failure_of(payload: &(dyn Any + Send)) -> Failure {
    if let Some(error) = payload.downcast_ref::<sluice_tokenizer::Error>() {
        return crate::tokenizer::failure(error.clone());
    }
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Failure::new(SluiceStatus::Panic, format!("internal error: {text}; please report it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_status_and_the_next_call_works() {
        silence_panics();
        assert_eq!(boundary(|| panic!("wheel fell off")), SluiceStatus::Panic as i32);
        with_last_error(|m| assert!(m.contains("wheel fell off"), "{m}"));
        assert_eq!(boundary(|| Ok(7)), 7);
    }

    #[test]
    fn memory_that_an_engine_lacks_is_no_bug() {
        silence_panics();
        let status = boundary(|| std::panic::panic_any(sluice_tokenizer::Error::OutOfMemory));
        assert_eq!(status, SluiceStatus::OutOfMemory as i32);
    }

    #[test]
    fn a_panic_while_a_panic_is_told_is_a_status() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("while it is dropped");
            }
        }
        silence_panics();
        let status = boundary(|| std::panic::panic_any(Bomb));
        assert_eq!(status, SluiceStatus::Panic as i32);
    }

    /// Destructors of thread-locals run in an order of the system's, so one may call when the thread has
    /// no place for a message any more.
    #[test]
    fn a_thread_that_ends_can_still_be_refused() {
        use std::sync::mpsc::{Sender, channel};
        struct Last(RefCell<Option<Sender<[i32; 2]>>>);
        impl Drop for Last {
            fn drop(&mut self) {
                let refused = boundary(|| Err(Failure::argument("late")));
                let length = boundary(|| Ok(with_last_error(|message| message.len() as i32)));
                self.0.take().expect("a sender").send([refused, length]).expect("sent");
            }
        }
        thread_local! {
            static LAST: Last = const { Last(RefCell::new(None)) };
        }
        let (sender, told) = channel();
        std::thread::spawn(move || {
            // Made first, so destroyed last.
            LAST.with(|last| *last.0.borrow_mut() = Some(sender));
            boundary(|| Err(Failure::argument("early")));
        });
        assert_eq!(told.recv(), Ok([SluiceStatus::InvalidArgument as i32, 0]));
    }

    #[test]
    fn a_failure_leaves_its_message() {
        let status = boundary(|| Err(Failure::argument("text is a null pointer")));
        assert_eq!(status, SluiceStatus::InvalidArgument as i32);
        with_last_error(|m| assert_eq!(m, "text is a null pointer"));
    }
}
