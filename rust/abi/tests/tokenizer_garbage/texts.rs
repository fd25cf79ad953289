//! Texts without a tokenizer: conversions of their units, and places to cut them at.

use std::ptr::{null, null_mut};

use sluice::seam::status::SluiceStatus as Status;
use sluice::text::cut::{sluice_text_cut, sluice_text_valid};
use sluice::text::{sluice_text_from_latin1, sluice_text_from_utf16};

use crate::support::last_error;

#[test]
fn units_that_are_invalid_or_have_no_room() {
    type Write = unsafe extern "C" fn(*const u8, u32, *mut u8, u32) -> i32;
    let (units, mut out) = ([0xE9u8; 6], [0u8; 18]);
    for (write, room) in
        [(sluice_text_from_latin1 as Write, 18), (sluice_text_from_utf16 as Write, 9)]
    {
        // SAFETY: null is refused before it is used; else pointers and lengths of live arrays.
        unsafe {
            assert_eq!(write(null(), 6, out.as_mut_ptr(), 18), Status::InvalidArgument as i32);
            assert_eq!(write(units.as_ptr(), 6, null_mut(), 18), Status::InvalidArgument as i32);
            let within = out.as_mut_ptr();
            assert_eq!(write(within.add(2), 2, within, 18), Status::InvalidArgument as i32);
            for short in [0, room - 1] {
                let status = write(units.as_ptr(), 6, out.as_mut_ptr(), short);
                assert_eq!(status, Status::InvalidArgument as i32);
                assert!(
                    last_error().starts_with(&format!("out_cap is {short}, less than {room} for"))
                );
            }
            assert_eq!(
                write(units.as_ptr(), 6, out.as_mut_ptr(), room),
                [12, 9][room as usize % 2]
            );
            assert_eq!(write(null(), 0, null_mut(), 0), 0);
        }
    }
    // SAFETY: pointers and lengths of live arrays.
    let odd = unsafe { sluice_text_from_utf16(units.as_ptr(), 5, out.as_mut_ptr(), 18) };
    assert_eq!(odd, Status::InvalidArgument as i32);
    assert_eq!(last_error(), "units_len is 5 bytes, not a whole number of units");
}

#[test]
fn cuts_of_texts_that_are_invalid_or_not_there() {
    // SAFETY: null is refused before it is used. Other pointers and lengths come from live slices.
    let cut =
        |text: &[u8], from| unsafe { sluice_text_cut(text.as_ptr(), text.len() as u32, from) };
    assert_eq!(cut(b"one two three", 0), 7);
    assert_eq!(cut(b"one two three", 8), 0);
    assert_eq!(cut(b"one two thr\xff e", 0), 7, "what follows an invalid byte is ignored");
    assert_eq!(cut(b"one two \xe2\x82", 0), 7);
    assert_eq!(cut(b"one", u32::MAX), 0);
    assert_eq!(cut(b"", 0), 0);
    // SAFETY: null is refused before it is used.
    unsafe {
        assert_eq!(sluice_text_cut(null(), 1, 0), Status::InvalidArgument as i32);
        assert_eq!(sluice_text_valid(null(), 1), Status::InvalidArgument as i32);
        assert_eq!(sluice_text_cut(null(), 0, 0), 0);
    }
}
