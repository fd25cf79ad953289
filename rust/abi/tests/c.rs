//! Tests of the generated header: `smoke.c` compiles against it without warnings, links with the library and runs, and
//! the header is valid C++.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder with the cdylib of this build.
fn library_folder() -> PathBuf {
    let test = std::env::current_exe().expect("path of this test");
    let deps = test.parent().expect("deps folder");
    [deps, deps.parent().expect("profile folder")]
        .into_iter()
        .find(|folder| {
            [("lib", "so"), ("lib", "dylib")]
                .iter()
                .any(|(prefix, suffix)| folder.join(format!("{prefix}sluice.{suffix}")).exists())
        })
        .expect("cargo builds the cdylib before its tests")
        .to_path_buf()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_c_program_compiles_links_and_runs() {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("smoke");
    let library = library_folder();
    run(Command::new("cc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
        .arg("-I")
        .arg(package().join("include"))
        .arg(package().join("tests/smoke.c"))
        .arg("-L")
        .arg(&library)
        .arg("-lsluice")
        .arg(format!("-Wl,-rpath,{}", library.display()))
        .arg("-o")
        .arg(&program));
    run(&mut Command::new(&program));
}

#[test]
fn the_header_is_cpp_too() {
    run(Command::new("c++")
        .args(["-x", "c++", "-std=c++11", "-Wall", "-Werror", "-fsyntax-only"])
        .arg(package().join("include/sluice.h")));
}
