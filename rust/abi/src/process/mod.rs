//! The library as a part of its process: its identity, its last error, and the threads that load it.

pub mod abi_hash;
pub mod library;
mod pin;
pub mod thread;
