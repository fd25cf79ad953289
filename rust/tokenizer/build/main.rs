//! Prepares the data that the engine embeds.
//!
//! The vocabularies come from `tiktoken-rs`, which is a build dependency only. Each is checked
//! against the SHA-256 that OpenAI's `tiktoken` pins for its file, so a changed or damaged
//! dependency stops the build. What the engine needs of them is written in a compact binary form
//! (see `vocabulary`, `tables` and `characters`), next to the Unicode classes (`unicode`) and the special tokens.

#![allow(clippy::expect_used, reason = "a build that cannot go on stops, with a message")]

use std::{env, fs, path::PathBuf};

mod bigrams;
mod characters;
#[path = "../src/letters.rs"]
mod letters;
#[path = "../src/perfect_hash.rs"]
mod perfect_hash;
mod tables;
mod unicode;
#[path = "../src/utf8.rs"]
mod utf8;
mod vocabulary;

fn main() {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/perfect_hash.rs");
    println!("cargo::rerun-if-changed=src/utf8.rs");
    println!("cargo::rerun-if-changed=src/letters.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for vocabulary in vocabulary::all() {
        let name = vocabulary.name;
        let write = |part: &str, data: Vec<u8>| {
            fs::write(out.join(format!("{name}.{part}")), data).expect("OUT_DIR is writable");
        };
        write("bytes", vocabulary.bytes());
        write("lengths", vocabulary.lengths());
        write("parts", vocabulary.parts());
        for (name, hashes) in [("key", vocabulary.key_hashes()), ("pair", vocabulary.pair_hashes())]
        {
            let table = tables::table(&hashes);
            write(&format!("{name}.groups"), table.groups);
            write(&format!("{name}.entries"), table.entries);
        }
        let (tokens, seams) = characters::tables(&vocabulary);
        write("characters", tokens);
        write("seams", seams);
        let (tokens, followers) = bigrams::tables(&vocabulary);
        write("bigrams", tokens);
        write("followers", followers);
        write("joints", characters::joints(&vocabulary));
    }
    fs::write(out.join("classes.rs"), unicode::tables()).expect("OUT_DIR is writable");
    fs::write(out.join("harmony.rs"), vocabulary::harmony_specials()).expect("OUT_DIR is writable");
}
