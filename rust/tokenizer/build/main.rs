//! Prepares the data that the engine embeds.
//!
//! The vocabularies come from `tiktoken-rs`, which is a build dependency only. Each is checked
//! against the SHA-256 that OpenAI's `tiktoken` pins for its file, so a changed or damaged
//! dependency stops the build. What the engine needs of them is written in a compact binary form
//! (see `vocabulary` and `pairs`), next to the Unicode classes (`unicode`) and the special tokens.

#![allow(clippy::expect_used, reason = "a build that cannot go on stops, with a message")]

use std::{env, fs, path::PathBuf};

#[path = "../src/pair_hash.rs"]
mod pair_hash;
mod pairs;
mod unicode;
mod vocabulary;

fn main() {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/pair_hash.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for vocabulary in vocabulary::all() {
        let name = vocabulary.name;
        let write = |part: &str, data: Vec<u8>| {
            fs::write(out.join(format!("{name}.{part}")), data).expect("OUT_DIR is writable");
        };
        write("bytes", vocabulary.bytes());
        write("lengths", vocabulary.lengths());
        write("parts", vocabulary.parts());
        write("groups", pairs::displacements(&vocabulary.pairs()));
    }
    fs::write(out.join("classes.rs"), unicode::tables()).expect("OUT_DIR is writable");
    fs::write(out.join("harmony.rs"), vocabulary::harmony_specials()).expect("OUT_DIR is writable");
}
