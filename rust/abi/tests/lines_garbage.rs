//! Tests of readers of lines and columns with invalid arguments: wrong handles, pointers, settings and rows fail with
//! a status.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod support;

use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

use sluice::seam::status::SluiceStatus as Status;
use sluice::tokenizer::job::{
    SLUICE_JOB_COUNT_LINES, SLUICE_JOB_ENCODE_COLUMN, SLUICE_JOB_ENCODE_LINES, sluice_job_close,
    sluice_job_open_reader, sluice_job_poll, sluice_job_read, sluice_job_stop, sluice_job_write,
};
use sluice::tokenizer::lines::column::{
    sluice_column_count, sluice_column_encode, sluice_column_set_rows,
};
use sluice::tokenizer::lines::{
    sluice_lines_close, sluice_lines_count, sluice_lines_encode, sluice_lines_open,
};
use sluice::tokenizer::sluice_tokenizer_open;

use support::{FAR, last_error};

const ARGUMENT: i32 = Status::InvalidArgument as i32;
const HANDLE: i32 = Status::InvalidHandle as i32;

fn tokenizer() -> u32 {
    // SAFETY: pointer and length come from a live string.
    let handle = unsafe { sluice_tokenizer_open(b"o200k_base".as_ptr(), 10) };
    assert!(handle > 0, "{}", last_error());
    handle.cast_unsigned()
}

fn open(tokenizer: u32, settings: &[u32], field: &[u8]) -> i32 {
    // SAFETY: pointers and lengths come from live slices.
    unsafe {
        sluice_lines_open(
            tokenizer,
            settings.as_ptr(),
            settings.len() as u32,
            field.as_ptr(),
            field.len() as u32,
        )
    }
}

fn reader() -> u32 {
    let handle = open(tokenizer(), &[0, 32, 1, 7], b"text");
    assert!(handle > 0, "{}", last_error());
    handle.cast_unsigned()
}

fn encode(reader: u32, bytes: &[u8], out: &mut [u32]) -> i32 {
    let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
    // SAFETY: pointers, length and capacity come from live slices.
    unsafe { sluice_lines_encode(reader, bytes.as_ptr(), bytes.len() as u32, 1, at, cap) }
}

fn set_rows(reader: u32, offsets: &[u32], is_large: u32, valid: &[u8]) -> i32 {
    // SAFETY: pointers and lengths come from live slices.
    unsafe {
        sluice_column_set_rows(
            reader,
            offsets.as_ptr(),
            offsets.len() as u32,
            is_large,
            valid.as_ptr(),
            valid.len() as u32,
        )
    }
}

fn encode_column(reader: u32, values: &[u8], out: &mut [u32]) -> i32 {
    let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
    // SAFETY: pointers, length and capacity come from live slices.
    unsafe { sluice_column_encode(reader, values.as_ptr(), values.len() as u32, at, cap) }
}

#[test]
fn settings_that_are_none() {
    let tokenizer = tokenizer();
    for (settings, message) in [
        (&[][..], "settings_len is 0, not 4"),
        (&[0, 32, 0], "settings_len is 3, not 4"),
        (&[3, 32, 0, 0], "special is 3, not 0, 1 or 2"),
        (&[0, 8, 0, 0], "the bits of an id are 8, not 16 or 32"),
        (&[0, 32, 3, 0], "end is 3, not 0, 1 or 2"),
        (&[0, 16, 1, 65_536], "the end token 65536 has more than 16 bits"),
    ] {
        assert_eq!(open(tokenizer, settings, b"text"), ARGUMENT);
        assert_eq!(last_error(), message);
    }
    assert_eq!(open(tokenizer, &[0, 32, 0, 0], b"\xFF"), Status::InvalidUtf8 as i32);
    assert_eq!(open(tokenizer + FAR, &[0, 32, 0, 0], b"text"), HANDLE);
    for field in [&b""[..], b".", &[b'.'; 100_000]] {
        let reader = open(tokenizer, &[0, 16, 0, 70_000], field);
        assert!(reader > 0, "{}", last_error());
        assert_eq!(sluice_lines_close(reader.cast_unsigned()), 0);
    }
    // SAFETY: null is refused before it is used.
    unsafe {
        assert_eq!(sluice_lines_open(tokenizer, null(), 4, null(), 0), ARGUMENT);
        let settings = [0u32, 32, 0, 0];
        assert_eq!(sluice_lines_open(tokenizer, settings.as_ptr(), 4, null(), 1), ARGUMENT);
    }
}

#[test]
fn forged_and_closed_readers() {
    let live = reader();
    let closed = reader();
    assert_eq!(sluice_lines_close(closed), 0);
    let mut out = [0; 64];
    for handle in [0, 1, closed, live ^ 0x10000, live + FAR, u32::MAX] {
        assert_eq!(encode(handle, b"{}", &mut out), HANDLE, "{handle:#x}");
        assert_eq!(set_rows(handle, &[0], 0, &[]), HANDLE);
        assert_eq!(encode_column(handle, b"", &mut out), HANDLE);
        assert_eq!(sluice_job_open_reader(handle, SLUICE_JOB_ENCODE_LINES, 1, 0), HANDLE);
        assert_eq!(sluice_lines_close(handle), HANDLE);
    }
    assert_eq!(encode(live, b"{\"text\":\"x\"}", &mut out), 6 + 3 + 2);
}

#[test]
fn pointers_that_lead_nowhere() {
    let reader = reader();
    let mut out = [0u32; 64];
    // SAFETY: null is refused before it is used; else pointers and lengths of live arrays.
    unsafe {
        assert_eq!(sluice_lines_encode(reader, null(), 1, 1, out.as_mut_ptr(), 64), ARGUMENT);
        assert_eq!(sluice_lines_encode(reader, null(), 0, 1, out.as_mut_ptr(), 64), 6);
        assert_eq!(sluice_lines_encode(reader, b"{}".as_ptr(), 2, 1, null_mut(), 64), ARGUMENT);
        let within = out.as_mut_ptr();
        assert_eq!(sluice_lines_encode(reader, within.cast(), 8, 1, within, 64), ARGUMENT);
        assert_eq!(sluice_lines_count(reader, within.cast(), 8, 1, within.add(1), 9), ARGUMENT);
        let odd = within.cast::<u8>().add(1).cast();
        assert_eq!(sluice_lines_encode(reader, b"{}".as_ptr(), 2, 1, odd, 8), ARGUMENT);
        assert_eq!(sluice_column_set_rows(reader, null(), 1, 0, null(), 0), ARGUMENT);
        assert_eq!(sluice_column_set_rows(reader, out.as_ptr(), 2, 0, null(), 1), ARGUMENT);
        assert_eq!(sluice_lines_encode(reader, b"{}\n".as_ptr(), 3, 1, null_mut(), 0), 6 + 3 + 4);
    }
}

#[test]
fn rows_that_contradict_themselves() {
    let reader = reader();
    let mut out = [0; 64];
    assert_eq!(encode_column(reader, b"x", &mut out), Status::WrongStep as i32);
    assert_eq!(
        sluice_job_open_reader(reader, SLUICE_JOB_ENCODE_COLUMN, 1, 0),
        Status::WrongStep as i32
    );
    assert_eq!(set_rows(reader, &[], 0, &[]), ARGUMENT);
    assert_eq!(set_rows(reader, &[0, 0, 1], 1, &[]), ARGUMENT);
    assert_eq!(set_rows(reader, &[0, 2, 1], 0, &[]), ARGUMENT);
    assert_eq!(last_error(), "offset 2 is 1, less than 2 before it");
    assert_eq!(set_rows(reader, &[0, 1], 0, &[1, 1]), ARGUMENT);
    assert_eq!(encode_column(reader, b"x", &mut out), Status::WrongStep as i32);
    assert_eq!(set_rows(reader, &[0, 0, u32::MAX, u32::MAX], 1, &[]), 1);
    assert_eq!(encode_column(reader, b"x", &mut out), ARGUMENT);
    assert_eq!(set_rows(reader, &[1, 3, 3, 4], 0, &[1, 0, 1]), 3);
    assert_eq!(encode_column(reader, b"ab", &mut out), ARGUMENT);
    assert_eq!(last_error(), "the last offset is 4, and there are 2 bytes of values");
    // Rows stay, and a null may be anything.
    for _ in 0..2 {
        assert_eq!(encode_column(reader, b"?\xFF\xFFx", &mut out), 6 + 3 + 1 + 2);
        assert_eq!(out[6 + 3].to_le_bytes()[..3], [6, 5, 0]);
        assert_eq!(out[..6], [3, 3, 2, 0, 2, 87]);
    }
    // A row that cuts a character is not UTF-8, and its neighbours are.
    assert_eq!(set_rows(reader, &[0, 1, 2, 3], 0, &[]), 3);
    assert_eq!(encode_column(reader, "é!".as_bytes(), &mut out), 6 + 3 + 1 + 2);
    assert_eq!(out[6 + 3].to_le_bytes()[..3], [6, 6, 0]);
    // SAFETY: pointers, length and capacity come from live arrays.
    let counted = unsafe { sluice_column_count(reader, "é!".as_ptr(), 3, out.as_mut_ptr(), 64) };
    assert_eq!((counted, &out[6..9]), (6 + 3 + 1, &[0, 0, 1][..]));
}

#[test]
fn jobs_of_readers() {
    let reader = reader();
    for kind in [0, 1, 6, u32::MAX] {
        assert_eq!(sluice_job_open_reader(reader, kind, 1, 0), ARGUMENT);
    }
    let line = b"{\"text\":\"Hello, world!\"}\n";
    for (kind, words) in [(SLUICE_JOB_ENCODE_LINES, 6 + 3 + 5), (SLUICE_JOB_COUNT_LINES, 6 + 3)] {
        let job = sluice_job_open_reader(reader, kind, 0, 3).cast_unsigned();
        // SAFETY: pointers and lengths come from live arrays.
        unsafe {
            assert_eq!(sluice_job_write(job, line.as_ptr(), 10, 0), 0);
            assert_eq!(sluice_job_write(job, line[10..].as_ptr(), line.len() as u32 - 10, 1), 0);
            let deadline = Instant::now() + Duration::from_secs(60);
            while sluice_job_poll(job) == 0 {
                assert!(Instant::now() < deadline, "the job hangs");
                std::thread::sleep(Duration::from_millis(1));
            }
            let mut out = [0; 64];
            assert_eq!(sluice_job_read(job, 0, out.as_mut_ptr(), 64), words);
            assert_eq!(out[1], 1);
        }
        assert_eq!(sluice_job_close(job), 0);
    }
    // A reader may be closed before its job starts.
    let job = sluice_job_open_reader(reader, SLUICE_JOB_ENCODE_LINES, 1, 0).cast_unsigned();
    assert_eq!(sluice_lines_close(reader), 0);
    // SAFETY: pointer and length come from a live array.
    assert_eq!(unsafe { sluice_job_write(job, line.as_ptr(), line.len() as u32, 1) }, 0);
    while sluice_job_stop(job) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(sluice_job_close(job), 0);
}
