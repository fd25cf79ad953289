//! A reader of the fixtures of `tests/conformance`, which its README describes.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use sluice_tokenizer::Encoding;

/// A fixture of ordinary texts.
#[derive(Deserialize)]
pub(crate) struct Ordinary {
    same: BTreeMap<String, String>,
    pub(crate) cases: Vec<Case>,
}

/// One ordinary text with its ids.
#[derive(Deserialize)]
pub(crate) struct Case {
    /// Absent in `surrogates.json`, whose `text` no Rust string can hold.
    #[serde(default, rename = "wellFormed")]
    well_formed: Option<String>,
    #[serde(default, deserialize_with = "unless_ill_formed")]
    text: Option<String>,
    ids: BTreeMap<String, Vec<u32>>,
}

impl Case {
    pub(crate) fn text(&self) -> &str {
        self.well_formed.as_deref().or(self.text.as_deref()).expect("a text in every case")
    }
}

impl Ordinary {
    /// The golden ids of `case` for `encoding`.
    pub(crate) fn ids<'c>(&self, case: &'c Case, encoding: Encoding) -> &'c [u32] {
        let name = self.same.get(encoding.name()).map_or(encoding.name(), String::as_str);
        &case.ids[name]
    }
}

/// Reads `name` from the folder of goldens.
pub(crate) fn read<T: DeserializeOwned>(name: &str) -> T {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let json = std::fs::read_to_string(folder.join(name)).expect("a readable fixture");
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A JSON string, or `None` if it holds lone surrogates.
fn unless_ill_formed<'de, D: serde::Deserializer<'de>>(
    json: D,
) -> Result<Option<String>, D::Error> {
    // serde_json passes such a string as bytes (WTF-8), not as `str`.
    struct Visitor;
    impl serde::de::Visitor<'_> for Visitor {
        type Value = Option<String>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a string")
        }
        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
            Ok(std::str::from_utf8(bytes).ok().map(String::from))
        }
    }
    json.deserialize_bytes(Visitor)
}

/// The digest of a listing: rows of a number and its ids or bytes, in the layout of the README.
#[derive(Default)]
pub(crate) struct Listing(Sha256);

impl Listing {
    pub(crate) fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.head(number, bytes.len());
        self.0.update(bytes);
    }

    pub(crate) fn ids(&mut self, number: u32, ids: &[u32]) {
        self.head(number, ids.len());
        ids.iter().for_each(|id| self.0.update(id.to_le_bytes()));
    }

    pub(crate) fn hex(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn head(&mut self, number: u32, length: usize) {
        self.0.update(number.to_le_bytes());
        self.0.update((length as u32).to_le_bytes());
    }
}
