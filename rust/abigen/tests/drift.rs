//! Drift between rust/abi and the generated files is caught, and named.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use std::path::{Path, PathBuf};
use std::process::Command;

use sluice_abigen::generate;

/// A copy of rust/abi with its sources changed by `edit`, in a folder of its own.
fn changed(name: &str, edit: impl Fn(&str) -> String) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../abi");
    let to = root.join("rust/abi");
    copy(&from.join("src"), &to.join("src"), &edit);
    std::fs::copy(from.join("cbindgen.toml"), to.join("cbindgen.toml")).expect("config");
    root
}

fn copy(from: &Path, to: &Path, edit: &impl Fn(&str) -> String) {
    std::fs::create_dir_all(to).expect("folder");
    for entry in std::fs::read_dir(from).expect("sources") {
        let entry = entry.expect("entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("type").is_dir() {
            copy(&entry.path(), &to, edit);
        } else {
            let text = std::fs::read_to_string(entry.path()).expect("source");
            std::fs::write(to, edit(&text)).expect("copy");
        }
    }
}

fn files(root: &Path) -> Vec<(&'static str, String)> {
    generate(root).expect("generates").into_iter().map(|f| (f.path, f.text)).collect()
}

#[test]
fn what_is_committed_is_what_is_generated() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for file in generate(&root).expect("generates") {
        assert!(file.is_current(&root), "{} is stale: run `make abi`", file.path);
    }
}

#[test]
fn a_changed_signature_changes_every_file() {
    let before = files(&changed("same", str::to_owned));
    let after = files(&changed("signature", |source| {
        source.replace(
            "fn sluice_tokenizer_close(tokenizer: u32)",
            "fn sluice_tokenizer_close(tokenizer: f64)",
        )
    }));
    for ((path, old), (_, new)) in before.iter().zip(&after) {
        assert_ne!(old, new, "{path} must change");
    }
}

#[test]
fn a_new_status_changes_the_hash_and_a_comment_does_not() {
    let hash = |root: &Path| files(root)[2].1.clone();
    let before = hash(&changed("same2", str::to_owned));
    let status =
        hash(&changed("status", |s| s.replace("UnknownToken = -104", "UnknownToken = -105")));
    let comment =
        hash(&changed("comment", |s| s.replace("/// Closes a handle", "/// Shuts a handle")));
    assert_ne!(before, status);
    assert_eq!(before, comment);
}

#[test]
fn what_leaves_the_subset_is_refused_by_name() {
    for (name, parameter) in [("wide", "tokenizer: u64"), ("boolean", "tokenizer: bool")] {
        let root = changed(name, |source| {
            source.replace(
                "sluice_tokenizer_close(tokenizer: u32)",
                &format!("sluice_tokenizer_close({parameter})"),
            )
        });
        let refused = generate(&root).err().expect("refused");
        assert!(refused.contains("sluice_tokenizer_close: parameter tokenizer"), "{refused}");
    }
    let root = changed("many", |source| {
        source.replace(
            "sluice_tokenizer_close(tokenizer: u32)",
            "sluice_tokenizer_close(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32)",
        )
    });
    let refused = generate(&root).err().expect("refused");
    assert!(refused.contains("has 7 parameters; at most 6"), "{refused}");
}

#[test]
fn check_says_what_to_do_and_writes_nothing() {
    let root = changed("check", |s| s.replace("UnknownToken = -104", "UnknownToken = -106"));
    let output = Command::new(env!("CARGO_BIN_EXE_abigen"))
        .args(["--check", "--root"])
        .arg(&root)
        .output()
        .expect("runs");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(message.contains("src/ffi/symbols.gen.ts"), "{message}");
    assert!(message.contains("run `make abi` and commit the result"), "{message}");
    assert!(!root.join("src/ffi/symbols.gen.ts").exists());
}
