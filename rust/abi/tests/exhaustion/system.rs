//! A process without random bytes, and the child of a `fork`.

use rustix::process::Resource;
use sluice::clock::sluice_clock_open;
use sluice::limiter::sluice_limiter_open;
use sluice::pool::sluice_pool_open;
use sluice::seam::status::SluiceStatus as Status;
use sluice::tokenizer::cache::sluice_cache_open;
use sluice::tokenizer::counter::sluice_counter_open;
use sluice::tokenizer::job::{sluice_job_open, sluice_job_poll};

use crate::resource_limits::set;
use crate::support::last_error;
use crate::tokenizers::{count, end_of, packed, tokenizer, write};

/// `getrandom` is refused by a filter of system calls, and no file can be opened.
pub(crate) fn entropy() {
    let filter = [
        // Load the number of the call; if it is getrandom's, answer ENOSYS; else let it through.
        libc::sock_filter { code: 0x20, jt: 0, jf: 0, k: 0 },
        libc::sock_filter { code: 0x15, jt: 0, jf: 1, k: libc::SYS_getrandom as u32 },
        libc::sock_filter {
            code: 0x06,
            jt: 0,
            jf: 0,
            k: libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned(),
        },
        libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW },
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
    set(Resource::Nofile, Some(0));
    // SAFETY: `program` points to a filter that outlives the call, which copies it.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let mode = libc::SECCOMP_MODE_FILTER;
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program), 0);
    }
    // A thread that has asked for no random bytes yet.
    let asked = std::thread::spawn(|| {
        let text = "e\0rpm\0requests";
        let config = [10.0, 60_000.0, 1.0, 1.0, 0.0, 0.0, 1e9, 86_400_000.0, 1e9, 0.0, 0.0, 0.0];
        let settings = [1.0; 13];
        // SAFETY: pointers and lengths come from live arrays.
        unsafe {
            let (at, length) = (text.as_ptr(), text.len() as u32);
            let limiter = sluice_limiter_open(at, length, config.as_ptr(), 12, 0);
            assert_eq!(limiter, Status::NoEntropy as i32, "{}", last_error());
            assert_eq!(sluice_cache_open(10), Status::NoEntropy as i32);
            // The rest needs none.
            let pool = sluice_pool_open(b"p".as_ptr(), 1, settings.as_ptr(), 13, at, 0);
            assert!(pool > 0, "{pool} {}", last_error());
        }
        assert!(sluice_clock_open(0.0) > 0, "{}", last_error());
        let tokenizer = tokenizer();
        assert!(sluice_counter_open(tokenizer, 0) > 0, "{}", last_error());
        let job = sluice_job_open(tokenizer, 0, 0, 0).cast_unsigned();
        assert_eq!(write(job, &packed(1, 4, 0), 1), 0);
        assert_eq!(end_of(job), 1, "{}", last_error());
    });
    asked.join().expect("statuses");
}

/// A child made by `fork` has none of the threads that do jobs.
pub(crate) fn fork() {
    let tokenizer = tokenizer();
    let start = || {
        let job = sluice_job_open(tokenizer, 0, 0, 0).cast_unsigned();
        assert_eq!(write(job, &packed(1, 4, 0), 1), 0);
        job
    };
    let done = start();
    assert_eq!(end_of(done), 1);
    // SAFETY: the child calls this library and then leaves without running anything of its parent's.
    match unsafe { libc::fork() } {
        0 => {
            let fine = end_of(done) == 1
                && sluice_job_poll(start()) == Status::Forked as i32
                && last_error().contains("fork")
                && count(tokenizer, "Hello, world!") == 4;
            // SAFETY: ends this process and nothing else.
            unsafe { libc::_exit(i32::from(!fine)) }
        }
        child => {
            let mut status = 0;
            // SAFETY: `status` is writable.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0, "the child met something else");
        }
    }
}
