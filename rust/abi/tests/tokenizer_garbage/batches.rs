//! Packed batches, and the jobs that do them.

use sluice::seam::failure::SluiceErrorDetail as Detail;
use sluice::seam::status::SluiceStatus as Status;
use sluice::tokenizer::batch::{sluice_batch_count, sluice_batch_encode};
use sluice::tokenizer::job::{
    sluice_job_close, sluice_job_open, sluice_job_poll, sluice_job_read, sluice_job_stop,
    sluice_job_write,
};

use crate::calls::{count, open};
use crate::support::{detail, last_error};

/// A packed batch of `words` and then `bytes`.
fn batch(words: &[u32], bytes: &[u8]) -> Vec<u32> {
    let mut all: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    all.extend_from_slice(bytes);
    all.resize(all.len().next_multiple_of(4), 0);
    all.chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect()
}

fn run_batch(handle: u32, words: &[u32], bytes: &[u8]) -> (i32, i32, Vec<u32>) {
    let packed = batch(words, bytes);
    let length = (4 * words.len() + bytes.len()) as u32;
    let mut out = vec![0u32; 64];
    // SAFETY: pointers and sizes come from live vectors.
    let (counted, encoded) = unsafe {
        (
            sluice_batch_count(handle, packed.as_ptr().cast(), length, 0, out.as_mut_ptr(), 64),
            sluice_batch_encode(handle, packed.as_ptr().cast(), length, 0, out.as_mut_ptr(), 64),
        )
    };
    (counted, encoded, out)
}

#[test]
fn refused_texts_of_a_batch_have_an_index_and_an_offset() {
    let handle = open("o200k_base").cast_unsigned();
    // The first two texts are valid only together.
    for (lengths, bytes, text, at) in [
        (&[1u32, 3, 2][..], &b"aa\xffbcd"[..], 1, 1),
        (&[1, 2, 1], b"\xe2\x82\xac\xff", 0, 0),
        (&[3, 2, 0], b"abca\xe2", 1, 1),
    ] {
        let header = [lengths.len() as u32, 0, 0];
        let (counted, encoded, _) = run_batch(handle, &[&header, lengths].concat(), bytes);
        let invalid = Status::InvalidUtf8 as i32;
        assert_eq!((counted, encoded), (invalid, invalid), "{bytes:x?}");
        assert_eq!(detail(Detail::TextIndex), Some(text), "{bytes:x?}");
        assert_eq!(detail(Detail::ByteOffset), Some(at), "{bytes:x?}");
    }
}

#[test]
fn batches_that_contradict_themselves() {
    let handle = open("o200k_base").cast_unsigned();
    let euro = "€".as_bytes();
    let bad: [(&[u32], &[u8]); 9] = [
        (&[1], b""),
        (&[u32::MAX, 0, 0], b""),
        (&[2, 0, 0, 1], b""),
        (&[1, 0, 0, 5], b"abc"),
        (&[1, 0, 0, 2], b"abc"),
        (&[1, 2, 0, 3], b"abc"),
        (&[1, 0, 0, 1], euro),
        (&[1, 1, 0, 1], euro),
        (&[2, 1, 0, u32::MAX, u32::MAX], b"a\nb\n"),
    ];
    for (words, bytes) in bad {
        let (counted, encoded, _) = run_batch(handle, words, bytes);
        assert_eq!(counted, Status::InvalidArgument as i32, "{words:?} {bytes:?}");
        assert_eq!(encoded, Status::InvalidArgument as i32, "{words:?} {bytes:?}");
    }
    let (counted, _, _) = run_batch(handle, &[1, 0, 0, 1], b"\xff");
    assert_eq!(counted, Status::InvalidUtf8 as i32);
}

#[test]
fn batches_equal_single_calls() {
    let handle = open("o200k_base").cast_unsigned();
    let joined = "a b\n日本 x\n\n😀!\n";
    let (counted, encoded, out) = run_batch(handle, &[4, 1, 0, 3, 4, 0, 3], joined.as_bytes());
    assert_eq!(counted, 4);
    let counts: Vec<i32> =
        ["a b", "日本 x", "", "😀!"].iter().map(|t| count(handle, t.as_bytes(), 0)).collect();
    let offsets: Vec<i32> = out[..5].windows(2).map(|w| (w[1] - w[0]) as i32).collect();
    assert_eq!(offsets, counts);
    assert_eq!(encoded, 5 + counts.iter().sum::<i32>());
}

fn write_job(job: u32, words: &[u32], bytes: &[u8], last: u32) -> i32 {
    let packed = batch(words, bytes);
    let length = (4 * words.len() + bytes.len()) as u32;
    // SAFETY: pointer and length come from a live vector.
    unsafe { sluice_job_write(job, packed.as_ptr().cast(), length, last) }
}

fn wait(job: u32) -> i32 {
    loop {
        match sluice_job_poll(job) {
            0 => std::thread::sleep(std::time::Duration::from_millis(1)),
            done => return done,
        }
    }
}

#[test]
fn jobs_at_the_wrong_step_and_with_wrong_batches() {
    let handle = open("o200k_base").cast_unsigned();
    assert_eq!(sluice_job_open(handle, 0, 2, 0), Status::InvalidArgument as i32);
    assert_eq!(sluice_job_open(handle, 9, 0, 0), Status::InvalidArgument as i32);
    assert_eq!(sluice_job_open(0, 0, 0, 0), Status::InvalidHandle as i32);

    let job = sluice_job_open(handle, 0, 1, 16).cast_unsigned();
    assert_eq!(sluice_job_poll(job), Status::WrongStep as i32);
    assert_eq!(write_job(job, &[1, 0, 0, 5], b"Hello", 1), 0);
    assert_eq!(write_job(job, &[], b"more", 1), Status::WrongStep as i32);
    assert_eq!(wait(job), 1);
    let mut words = [9u32; 4];
    // SAFETY: pointer and capacity come from a live array.
    let (all, past) = unsafe {
        let mut read = |start| sluice_job_read(job, start, words.as_mut_ptr(), 4);
        (read(0), read(u32::MAX))
    };
    assert_eq!((all, past), (3, 3));
    assert_eq!(words, [0, 1, 13225, 9]);
    assert_eq!(sluice_job_close(job), 0);
    let gone = [sluice_job_poll(job), sluice_job_stop(job), sluice_job_close(job)];
    for status in gone.into_iter().chain([write_job(job, &[], b"", 1)]) {
        assert_eq!(status, Status::InvalidHandle as i32);
    }

    let bad = sluice_job_open(handle, 0, 0, 0).cast_unsigned();
    assert_eq!(write_job(bad, &[7, 0, 0], b"", 1), 0);
    assert_eq!(wait(bad), Status::InvalidArgument as i32);
    assert!(last_error().contains("too small for 7 texts"), "{}", last_error());
    assert_eq!(sluice_job_close(bad), 0);
}

#[test]
fn a_stopped_job_says_when_no_thread_works_on_it() {
    let handle = open("o200k_base").cast_unsigned();
    let unstarted = sluice_job_open(handle, 0, 0, 0).cast_unsigned();
    assert_eq!(sluice_job_stop(unstarted), 1);
    assert_eq!(sluice_job_close(unstarted), 0);

    // 4,096 groups of texts; the one that a thread is at when it is stopped is the last.
    let texts = vec![b'a'; 64 << 22];
    let mut words = vec![4096, 0, 1];
    words.resize(3 + 4096, 64 << 10);
    let job = sluice_job_open(handle, 0, 0, 0).cast_unsigned();
    assert_eq!(write_job(job, &words, &texts, 1), 0);
    let started = std::time::Instant::now();
    while sluice_job_stop(job) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(sluice_job_poll(job), Status::Stopped as i32);
    assert_eq!(sluice_job_stop(job), 1);
    assert_eq!(sluice_job_close(job), 0);
}
