//! The resource limits of a process: how much more it may map, and the status of a call that got no memory.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sluice::seam::status::SluiceStatus as Status;

use crate::support::last_error;

pub(crate) const MIB: usize = 1 << 20;
pub(crate) const OUT_OF_MEMORY: i32 = Status::OutOfMemory as i32;

/// Lets this process map `bytes` more than it has mapped.
pub(crate) fn leave(bytes: usize) {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("statm");
    let pages: usize = statm.split(' ').next().expect("size").parse().expect("a number");
    set(Resource::As, Some((pages * 4096 + bytes) as u64));
}

pub(crate) fn leave_all() {
    set(Resource::As, getrlimit(Resource::As).maximum);
}

pub(crate) fn set(resource: Resource, current: Option<u64>) {
    let maximum = getrlimit(resource).maximum;
    setrlimit(resource, Rlimit { current, maximum }).expect("a limit");
}

pub(crate) fn refused(result: i32) {
    assert_eq!(result, OUT_OF_MEMORY, "{}", last_error());
    assert!(last_error().contains("memory"), "{}", last_error());
}
