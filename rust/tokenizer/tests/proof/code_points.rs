//! Every Unicode scalar value in six contexts, against digests from PyPI tiktoken.

use std::collections::HashMap;

use serde::Deserialize;
use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer};

use crate::goldens::{Listing, read};
use crate::support::oracle::{assert_exact, ids};

#[derive(Deserialize)]
struct CodePoints {
    block: u32,
    contexts: Vec<String>,
    digests: Vec<Digests>,
    same: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Digests {
    encoding: String,
    blocks: Vec<String>,
}

/// Texts of one block of code points, in the order in which they are hashed.
fn texts(goldens: &CodePoints, block: u32) -> impl Iterator<Item = (u32, String)> {
    let points = block * goldens.block..(block + 1) * goldens.block;
    points.filter_map(char::from_u32).flat_map(|point| {
        goldens.contexts.iter().map(move |context| {
            let text = context.replace("{0}", "{}").replace("{}", &point.to_string());
            (u32::from(point), text)
        })
    })
}

/// 26 million texts.
#[test]
fn all_code_points() {
    let goldens: CodePoints = read("code_points.json");
    assert_eq!(goldens.digests.len() + goldens.same.len(), Encoding::ALL.len());
    for digests in &goldens.digests {
        let encoding = Encoding::from_name(&digests.encoding).expect("a known encoding");
        for block in 0..0x110 {
            let mut listing = Listing::default();
            for (point, text) in texts(&goldens, block) {
                let encoded = ids(encoding, &text);
                let counted = Tokenizer::get(encoding).count(&text, SpecialTokenMode::Text);
                assert_eq!(counted, Ok(encoded.len()), "{} {text:?}", digests.encoding);
                listing.ids(point, &encoded);
            }
            if listing.hex()[..16] != digests.blocks[block as usize] {
                // A live oracle may find the first text that differs.
                texts(&goldens, block).for_each(|(_, text)| assert_exact(encoding, &text));
                panic!("{} differs from the golden in block {block:#x}", digests.encoding);
            }
        }
    }
}
