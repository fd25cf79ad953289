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
    caught(body).unwrap_or_else(refuse)
}

/// [`boundary`] for functions that return a `double`.
#[inline]
pub(crate) fn boundary_f64(body: impl FnOnce() -> Result<f64, Failure>) -> f64 {
    caught(body).unwrap_or_else(|failure| f64::from(refuse(failure)))
}

/// The part of [`boundary`] that also work on other threads needs: a panic becomes a failure.
pub(crate) fn caught<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|payload| Err(Failure::new(SluiceStatus::Panic, panic_message(&*payload))))
}

/// Hands the last failure's message of this thread to `read`.
pub(crate) fn with_last_error<R>(read: impl FnOnce(&str) -> R) -> R {
    LAST_ERROR.with_borrow(|message| read(message))
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
    LAST_ERROR.with_borrow_mut(|message| {
        message.clear();
        message.push_str(&failure.message);
    });
    failure.status as i32
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    format!("internal error: {text}; please report it")
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
    fn a_failure_leaves_its_message() {
        let status = boundary(|| Err(Failure::argument("text is a null pointer")));
        assert_eq!(status, SluiceStatus::InvalidArgument as i32);
        with_last_error(|m| assert_eq!(m, "text is a null pointer"));
    }
}
