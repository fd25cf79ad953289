//! `abigen`: generates the C header, the TypeScript symbol table, the ABI hash, the table of calls by number, the reference
//! of errors and the constants of the Python binding from one parse of `rust/abi`.
//!
//! ```text
//! rust/abi/src ── cbindgen ──► abi::Abi ──┬─► rust/abi/include/sluice.h
//!                                         ├─► src/ffi/symbols.gen.ts
//!                                         ├─► rust/abi/src/process/abi_hash.rs
//!                                         ├─► rust/abi/src/seam/call_table.rs
//!                                         ├─► python/sluice_arrow.py (a block of it)
//!                  src/errors.ts ─────────┴─► docs/reference/errors.md
//! ```
//!
//! `abigen` writes the files that changed. `abigen --check` writes nothing, and fails if a file would change.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sluice_abigen::{Generated, generate};

fn main() -> ExitCode {
    let mut check = false;
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.len()) {
            ("--check", _) => check = true,
            ("--root", 1..) => root = PathBuf::from(arguments.next().unwrap_or_default()),
            _ => {
                eprintln!("usage: abigen [--check] [--root DIR]");
                return ExitCode::from(2);
            }
        }
    }
    match generate(&root).and_then(|files| settle(&root, &files, check)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("abigen: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the files that changed, or with `check` fails if there are any.
fn settle(root: &Path, files: &[Generated], check: bool) -> Result<(), String> {
    let stale: Vec<&Generated> = files.iter().filter(|file| !file.is_current(root)).collect();
    if check && !stale.is_empty() {
        let names: Vec<&str> = stale.iter().map(|file| file.path).collect();
        return Err(format!(
            "rust/abi has changed and {} has not: run `make abi` and commit the result",
            names.join(", ")
        ));
    }
    for file in stale {
        file.write(root)?;
        println!("abigen: wrote {}", file.path);
    }
    Ok(())
}
