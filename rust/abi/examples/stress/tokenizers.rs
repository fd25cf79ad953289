//! Calls on tokenizers that share their tables, on counters and on jobs, with the count cache open.

use sluice::tokenizer::cache::{SLUICE_CACHE, sluice_cache_open};
use sluice::tokenizer::counter::{sluice_counter_open, sluice_counter_push};
use sluice::tokenizer::job::{
    sluice_job_close, sluice_job_open, sluice_job_poll, sluice_job_read, sluice_job_stop,
    sluice_job_write,
};
use sluice::tokenizer::{sluice_tokenizer_count, sluice_tokenizer_encode, sluice_tokenizer_open};

use crate::{Numbers, whole};

const ENCODINGS: [&str; 3] = ["o200k_base", "cl100k_base", "r50k_base"];

pub(crate) fn run(numbers: &mut Numbers, steps: u64) {
    let name = ENCODINGS[numbers.below(3) as usize];
    let mut ids = vec![0u32; 4096];
    let mut jobs: Vec<u32> = Vec::new();
    // SAFETY: pointers, lengths and capacities come from live buffers.
    unsafe {
        let tokenizer = whole(sluice_tokenizer_open(name.as_ptr(), name.len() as u32));
        let tokenizer = tokenizer.cast_unsigned();
        whole(sluice_cache_open(10));
        let counter = whole(sluice_counter_open(tokenizer, 0)).cast_unsigned();
        for _ in 0..steps {
            let text = "the quick bröwn 狐 jumps ".repeat(12 + numbers.below(40) as usize);
            let (at, length) = (text.as_ptr(), text.len() as u32);
            match numbers.below(6) {
                0..=2 => {
                    let cached = whole(sluice_tokenizer_count(tokenizer, at, length, SLUICE_CACHE));
                    let plain = whole(sluice_tokenizer_count(tokenizer, at, length, 0));
                    assert_eq!(cached, plain);
                }
                3 => {
                    whole(sluice_counter_push(counter, at, length, numbers.below(4) as u32));
                    let to = ids.as_mut_ptr();
                    whole(sluice_tokenizer_encode(tokenizer, at, length, 0, to, 4096));
                }
                4 => {
                    let kind = numbers.below(2) as u32;
                    let job = whole(sluice_job_open(tokenizer, 0, kind, 100)).cast_unsigned();
                    let head = [1, 0, 0, length].into_iter().flat_map(u32::to_le_bytes);
                    let batch: Vec<u8> = head.chain(text.bytes()).collect();
                    whole(sluice_job_write(job, batch.as_ptr(), batch.len() as u32, 1));
                    jobs.push(job);
                }
                _ => {
                    if let Some(job) = jobs.pop() {
                        end(numbers, job, &mut ids, &mut jobs);
                    }
                }
            }
        }
    }
}

fn end(numbers: &mut Numbers, job: u32, ids: &mut [u32], jobs: &mut Vec<u32>) {
    match numbers.below(4) {
        0 => {
            whole(sluice_job_close(job));
        }
        1 => {
            whole(sluice_job_stop(job));
        }
        2 => {
            while whole(sluice_job_poll(job)) == 0 {
                std::thread::yield_now();
            }
            // SAFETY: pointer and capacity come from a live slice.
            whole(unsafe { sluice_job_read(job, 0, ids.as_mut_ptr(), ids.len() as u32) });
            whole(sluice_job_close(job));
        }
        _ => {
            whole(sluice_job_poll(job));
            jobs.push(job);
        }
    }
}
