//! The call block: an array of numbers per thread through which a call passes its arguments.
//!
//! A runtime can be fast at calls without arguments and slow at all others. Node.js 26 checks and converts arguments in
//! JavaScript that all functions share: a call with a buffer took it 113 ns, and one without arguments takes 3 ns
//! (`bench/record`, crossing). There the caller writes the number of the function and its arguments to the block of its
//! thread, and calls [`sluice_call_run`].

use std::cell::Cell;

use crate::seam::arguments::{Arguments, MOST_ARGUMENTS};
use crate::seam::boundary::boundary_f64;
use crate::seam::call_table;
use crate::seam::failure::Failure;

/// The length of the call block: the number of a function, and the most parameters that one has.
pub const SLUICE_CALL_BLOCK: u32 = 7;

const _: () = assert!(SLUICE_CALL_BLOCK as usize == 1 + MOST_ARGUMENTS);

thread_local! {
    /// Without a destructor, so that it exists as long as its thread.
    static BLOCK: [Cell<f64>; SLUICE_CALL_BLOCK as usize] =
        const { [const { Cell::new(0.0) }; SLUICE_CALL_BLOCK as usize] };
}

/// Returns the address of the call block of this thread: `SLUICE_CALL_BLOCK` numbers, valid until the thread ends.
/// O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_call_block() -> f64 {
    BLOCK.with(|block| block.as_ptr().expose_provenance() as f64)
}

/// Calls the function whose number is first in the call block of this thread with the arguments that follow, and returns
/// its result. O(1) beside the function.
///
/// The number of a function is its position in the symbol table. Pointers are passed as addresses, which are below
/// 2^53. Fails with `INVALID_ARGUMENT` if there is no function of that number with parameters.
///
/// # Safety
/// The contract of the function that is called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_call_run() -> f64 {
    // Copied, so that a function that runs another through the block would find its own arguments.
    let block: [f64; SLUICE_CALL_BLOCK as usize] =
        BLOCK.with(|block| std::array::from_fn(|i| block[i].get()));
    let [function, ref arguments @ ..] = block;
    // SAFETY: the caller's contract.
    unsafe { call_table::call(function as u32, Arguments(arguments)) }.unwrap_or_else(|| {
        boundary_f64(|| Err(Failure::argument(format!("there is no function {function}"))))
    })
}

#[cfg(test)]
mod tests {
    use std::ptr::with_exposed_provenance_mut;

    use super::*;

    /// Writes the block and runs it, as a caller does.
    fn run(numbers: &[f64]) -> f64 {
        let block: *mut f64 = with_exposed_provenance_mut(sluice_call_block() as usize);
        assert!(numbers.len() <= SLUICE_CALL_BLOCK as usize);
        // SAFETY: the block of this thread has room for them, and the functions get buffers of this test.
        unsafe {
            std::slice::from_raw_parts_mut(block, numbers.len()).copy_from_slice(numbers);
            sluice_call_run()
        }
    }

    fn number_of(name: &str) -> f64 {
        call_table::NAMES.iter().position(|it| *it == name).map(|at| at as f64).unwrap_or(f64::NAN)
    }

    #[test]
    fn runs_the_function_of_that_number() {
        let mut version = [0u8; 32];
        let out = version.as_mut_ptr().expose_provenance() as f64;
        let length = run(&[number_of("sluice_library_version"), out, 32.0]);
        assert_eq!(&version[..length as usize], env!("CARGO_PKG_VERSION").as_bytes());
        let clock = run(&[number_of("sluice_clock_open"), 1e12]);
        assert!(clock > 0.0);
        assert_eq!(run(&[number_of("sluice_clock_advance"), clock, 5.0]), 0.0);
        assert_eq!(run(&[number_of("sluice_clock_close"), clock]), 0.0);
    }

    #[test]
    fn a_number_without_a_function_is_a_status() {
        let none = crate::seam::status::SluiceStatus::InvalidArgument as i32;
        for number in [call_table::NAMES.len() as f64, 1e18, number_of("sluice_call_run")] {
            assert_eq!(run(&[number]), f64::from(none), "{number}");
        }
    }

    #[test]
    fn each_thread_has_a_block_of_its_own() {
        let here = sluice_call_block();
        let there = std::thread::spawn(|| sluice_call_block()).join();
        assert!(there.is_ok_and(|there| there != here));
    }
}
