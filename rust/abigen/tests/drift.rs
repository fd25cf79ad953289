//! Tests of the generator: drift between rust/abi and the generated files is found and named.
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
    std::fs::create_dir_all(root.join("src")).expect("folder");
    std::fs::copy(from.join("../../src/errors.ts"), root.join("src/errors.ts")).expect("codes");
    std::fs::create_dir_all(root.join("python")).expect("folder");
    let binding = "python/sluice_arrow.py";
    std::fs::copy(from.join("../..").join(binding), root.join(binding)).expect("binding");
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
        assert_eq!(old == new, path.ends_with("errors.md"), "{path}");
    }
}

/// The meaning of a position in an array is part of the contract.
#[test]
fn a_moved_field_changes_the_hash_and_the_constants() {
    let before = files(&changed("same3", str::to_owned));
    let after = files(&changed("field", |source| {
        source.replace(
            "    Weight,\n    /// Its tier.\n    Tier,",
            "    Tier,\n    /// Its weight.\n    Weight,",
        )
    }));
    assert!(before[1].1.contains("export const POOL_UPSTREAM_SETTING_WEIGHT = 1;"));
    assert!(after[1].1.contains("export const POOL_UPSTREAM_SETTING_WEIGHT = 2;"));
    assert_ne!(before[2], after[2]);
}

/// `cbindgen` leaves out what no signature reaches, unless its configuration names it.
#[test]
fn every_enumeration_is_generated() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let table = files(&root)[1].1.clone();
    let mut enumerations = 0;
    visit(&root.join("rust/abi/src"), &mut |source| {
        for found in source.split("#[repr(u32)]").skip(1) {
            let (_, name) = found.split_once("pub enum Sluice").expect("an enumeration");
            let (_, body) = found.split_once('{').expect("variants");
            let name = name.split_whitespace().next().expect("a name");
            let variants = body.split('}').next().unwrap_or_default().lines();
            let variants = variants.filter(|line| line.trim().ends_with(',')).map(str::trim);
            for variant in variants.filter(|line| !line.starts_with("//")) {
                let variant = variant.split([',', ' ']).next().unwrap_or_default();
                let constant = format!("export const {}_{} =", screaming(name), screaming(variant));
                assert!(table.contains(&constant), "{constant}: add Sluice{name} to cbindgen.toml");
            }
            enumerations += 1;
        }
    });
    assert!(enumerations > 10, "{enumerations}");
}

fn visit(folder: &Path, read: &mut impl FnMut(&str)) {
    for entry in std::fs::read_dir(folder).expect("sources") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            visit(&path, read);
        } else {
            read(&std::fs::read_to_string(path).expect("source"));
        }
    }
}

/// `PoolSetting` as `POOL_SETTING`.
fn screaming(name: &str) -> String {
    let mut screaming = String::new();
    for (at, letter) in name.char_indices() {
        if at > 0 && letter.is_uppercase() {
            screaming.push('_');
        }
        screaming.push(letter.to_ascii_uppercase());
    }
    screaming
}

#[test]
fn a_code_without_advice_is_refused_by_name() {
    let root = changed("advice", |source| source.replace("    /// Split the input.\n", ""));
    let refused = generate(&root).err().expect("refused");
    assert!(refused.contains("SLUICE_TOO_LARGE needs a paragraph"), "{refused}");
    let table = files(&changed("same4", str::to_owned))[3].1.clone();
    for code in ["`SLUICE_INVALID_UTF8` | -102 | The bytes are not", "`SLUICE_DISPOSED` |  |"] {
        assert!(table.contains(code), "{code}");
    }
}

#[test]
fn a_constant_that_the_python_binding_lacks_is_named() {
    let root = changed("python", |s| s.replace("SLUICE_END_AFTER", "SLUICE_END_BEHIND"));
    let refused = generate(&root).err().expect("refused");
    assert!(refused.contains("uses END_AFTER, which is gone"), "{refused}");
    let binding = root.join("python/sluice_arrow.py");
    let text = std::fs::read_to_string(&binding).expect("binding");
    std::fs::write(&binding, text.replace("abigen: end", "abigen")).expect("written");
    let refused = generate(&root).err().expect("refused");
    assert!(refused.contains("python/sluice_arrow.py lacks its marker lines"), "{refused}");
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
