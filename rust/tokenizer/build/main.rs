//! Generates the tables that the engine embeds: perfect hash tables of tokens and merges, and bitmaps of boundaries.
//!
//! The vocabularies come from `tiktoken-rs`, which is a build dependency only. Each is verified against the SHA-256
//! that OpenAI's `tiktoken` pins for its file, so a changed or damaged dependency stops the build. The tables are
//! written in a compact binary form, beside the Unicode classes and the special tokens.

#![allow(clippy::expect_used, reason = "a build that fails stops with a message")]

use std::{env, fs, path::PathBuf};

#[path = "../src/vocab/alphabet.rs"]
mod alphabet;
mod bigrams;
#[path = "../src/vocab/boundary_index.rs"]
mod boundary_index;
mod characters;
mod id_table;
#[path = "../src/vocab/perfect_hash.rs"]
mod perfect_hash;
mod unicode;
#[path = "../src/unicode/utf8.rs"]
mod utf8;
mod vocabulary;

fn main() {
    println!("cargo::rerun-if-changed=build");
    for shared in ["alphabet.rs", "boundary_index.rs", "perfect_hash.rs"] {
        println!("cargo::rerun-if-changed=src/vocab/{shared}");
    }
    println!("cargo::rerun-if-changed=src/unicode/utf8.rs");
    allow_vector_kernels();
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
            let table = id_table::id_table(&hashes);
            write(&format!("{name}.displacements"), table.displacements);
            write(&format!("{name}.slots"), table.slots);
        }
        let (tokens, boundary_ranks) = characters::char_tokens(&vocabulary);
        write("char_tokens", tokens);
        write("boundary_ranks", boundary_ranks);
        write("merge_boundaries", characters::merge_boundaries(&vocabulary));
        let (tokens, followers) = bigrams::tables(&vocabulary);
        write("bigram_tokens", tokens);
        write("bigram_followers", followers);
    }
    fs::write(out.join("classes.rs"), unicode::tables()).expect("OUT_DIR is writable");
    fs::write(out.join("harmony.rs"), vocabulary::harmony_specials()).expect("OUT_DIR is writable");
}

/// Sets `cfg(has_vector_kernels)` for targets that `src/arch` has vector kernels for. The kernels for NEON take the
/// bytes of a word in the order of a little-endian processor.
fn allow_vector_kernels() {
    println!("cargo::rustc-check-cfg=cfg(has_vector_kernels)");
    let target = |part: &str| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    let has_neon = target("FEATURE").split(',').any(|feature| feature == "neon");
    let neon = target("ARCH") == "aarch64" && target("ENDIAN") == "little" && has_neon;
    if target("ARCH") == "x86_64" || neon {
        println!("cargo::rustc-cfg=has_vector_kernels");
    }
}
