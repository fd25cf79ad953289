//! Panic boundary: every exported body runs inside [`boundary`], which turns panics and failures into statuses.
//!
//! A panic that crosses `extern "C"` aborts the process, in Bun and in Deno. Here it becomes
//! [`SluiceStatus::Panic`]. `catch_unwind` has no measurable cost on the path without a panic.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::seam::failure::{Failure, NO_DETAILS, Numbers, Outcome};
use crate::seam::status::SluiceStatus;

thread_local! {
    static LAST_ERROR: RefCell<LastError> =
        const { RefCell::new(LastError { message: String::new(), numbers: NO_DETAILS }) };
}

/// The message and the numbers of a thread's last failure.
struct LastError {
    message: String,
    numbers: Numbers,
}

/// Runs the body of an exported function and turns its outcome into the ABI's `int32_t`.
///
/// `AssertUnwindSafe` holds: shared state (tokenizer tables, handle tables) is either immutable or repaired by
/// its own locks, and the output buffers of a failed call may hold a partial result, as each function says.
pub(crate) fn boundary(body: impl FnOnce() -> Outcome) -> i32 {
    catching(|| body().unwrap_or_else(record), |status| status)
}

/// [`boundary`] for functions that return a `double`.
#[inline]
pub(crate) fn boundary_f64(body: impl FnOnce() -> Result<f64, Failure>) -> f64 {
    catching(|| body().unwrap_or_else(|failure| f64::from(record(failure))), f64::from)
}

/// Calls `body`, and returns the status of a panic in it.
#[inline]
fn catching<R>(body: impl FnOnce() -> R, result: impl FnOnce(i32) -> R) -> R {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| result(record_panic(payload)))
}

/// Records a panic as the last error. A second panic meanwhile leaves the status alone.
#[cold]
fn record_panic(payload: Box<dyn Any + Send>) -> i32 {
    let recorded = catch_unwind(AssertUnwindSafe(|| {
        let failure = failure_of(&*payload);
        drop(payload);
        record(failure)
    }));
    recorded.unwrap_or_else(|payload| {
        // Dropping it could panic once more.
        std::mem::forget(payload);
        SluiceStatus::Panic as i32
    })
}

/// Calls `body` on a thread of the library, where a panic becomes a failure that the owner of the work reads.
pub(crate) fn caught<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(failure_of(&*payload)))
}

/// Calls `read` with the message of this thread's last failure and its numbers. They are empty before the
/// first failure, and in a thread that ends and has destroyed them already.
pub(crate) fn with_last_error<R>(read: impl Fn(&str, Numbers) -> R) -> R {
    LAST_ERROR
        .try_with(|last| {
            let last = last.borrow();
            read(&last.message, last.numbers)
        })
        .unwrap_or_else(|_| read("", NO_DETAILS))
}

/// Keeps panics off the user's stderr, because they are reported as a status.
///
/// The hook belongs to this library's own copy of the standard library and affects no other Rust code in the
/// process.
pub(crate) fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

/// Keeps a failure as this thread's last error, and returns its status.
#[cold]
fn record(failure: Failure) -> i32 {
    // A destructor of a thread that ends may fail after the last error is destroyed. Then only the status is
    // returned.
    let _ = LAST_ERROR.try_with(|last| {
        let mut last = last.borrow_mut();
        last.message.clear();
        last.message.push_str(&failure.message);
        last.numbers = failure.numbers();
    });
    failure.status as i32
}

fn failure_of(payload: &(dyn Any + Send)) -> Failure {
    // The engine unwinds with an error where it runs out of memory deep inside.
    if let Some(error) = payload.downcast_ref::<sluice_tokenizer::Error>() {
        return error.clone().into();
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
        with_last_error(|m, _| assert!(m.contains("wheel fell off"), "{m}"));
        assert_eq!(boundary(|| Ok(7)), 7);
    }

    #[test]
    fn an_engine_without_memory_is_not_a_bug() {
        silence_panics();
        let status = boundary(|| std::panic::panic_any(sluice_tokenizer::Error::OutOfMemory));
        assert_eq!(status, SluiceStatus::OutOfMemory as i32);
    }

    #[test]
    fn a_panic_while_a_panic_is_recorded_is_a_status() {
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

    /// The system chooses the order in which thread-locals are destroyed, so a destructor may call after the
    /// last error of its thread is gone.
    #[test]
    fn a_call_can_fail_in_a_thread_that_ends() {
        use std::sync::mpsc::{Sender, channel};
        struct Last(RefCell<Option<Sender<[i32; 2]>>>);
        impl Drop for Last {
            fn drop(&mut self) {
                let refused = boundary(|| Err(Failure::argument("late")));
                let length = boundary(|| Ok(with_last_error(|message, _| message.len() as i32)));
                self.0.take().expect("a sender").send([refused, length]).expect("sent");
            }
        }
        thread_local! {
            static LAST: Last = const { Last(RefCell::new(None)) };
        }
        let (sender, received) = channel();
        std::thread::spawn(move || {
            // Made first, so destroyed last.
            LAST.with(|last| *last.0.borrow_mut() = Some(sender));
            boundary(|| Err(Failure::argument("early")));
        });
        assert_eq!(received.recv(), Ok([SluiceStatus::InvalidArgument as i32, 0]));
    }

    #[test]
    fn a_failure_leaves_its_message_and_numbers() {
        boundary(|| Err(Failure::invalid_utf8("text", 5)));
        with_last_error(|_, numbers| assert_eq!(numbers[1], 5.0));
        let status = boundary(|| Err(Failure::argument("text is a null pointer")));
        assert_eq!(status, SluiceStatus::InvalidArgument as i32);
        with_last_error(|_, numbers| assert!(numbers[1].is_nan()));
        with_last_error(|m, _| assert_eq!(m, "text is a null pointer"));
    }
}
