//! Reads the vocabularies and derives the two tokens that each token is merged from.

use crate::perfect_hash::{ID_BITS, key_hash, pair_hash};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, fmt::Write};
use tiktoken_rs::CoreBPE;

/// The bytes of every token of a vocabulary, by id. An id without a token has no bytes.
pub(crate) struct Vocabulary {
    pub(crate) name: &'static str,
    pub(crate) tokens: Vec<Vec<u8>>,
}

/// The vocabularies to embed. `r50k_base` is verified but not embedded, as it is a prefix of `p50k_base`.
pub(crate) fn all() -> [Vocabulary; 3] {
    let r50k = read(
        &tiktoken_rs::r50k_base().expect("r50k_base loads"),
        50256,
        "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
    );
    let p50k = read(
        &tiktoken_rs::p50k_base().expect("p50k_base loads"),
        50281,
        "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
    );
    let cl100k = read(
        &tiktoken_rs::cl100k_base().expect("cl100k_base loads"),
        100256,
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    );
    let o200k = read(
        &tiktoken_rs::o200k_base().expect("o200k_base loads"),
        199998,
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    );
    assert_eq!(r50k[..], p50k[..r50k.len()], "r50k_base is not a prefix of p50k_base");
    [
        Vocabulary { name: "p50k", tokens: p50k },
        Vocabulary { name: "cl100k", tokens: cl100k },
        Vocabulary { name: "o200k", tokens: o200k },
    ]
}

/// The tokens of `bpe`. Verifies that the `.tiktoken` file of these tokens has the digest that `tiktoken` pins.
fn read(bpe: &CoreBPE, count: u32, pinned: &str) -> Vec<Vec<u8>> {
    // The special token that is among the ordinary ids of p50k_base.
    const END_OF_TEXT: u32 = 50256;
    let mut file = String::new();
    let mut tokens = Vec::new();
    for id in 0..count {
        if id == END_OF_TEXT && count == 50281 {
            tokens.push(Vec::new());
            continue;
        }
        let token = bpe.decode_bytes(&[id]).expect("every ordinary id has a token");
        writeln!(file, "{} {id}", STANDARD.encode(&token)).expect("writing to a string");
        tokens.push(token);
    }
    let mut digest = String::new();
    for byte in Sha256::digest(file) {
        write!(digest, "{byte:02x}").expect("writing to a string");
    }
    assert_eq!(digest, pinned, "a vocabulary is not the one that tiktoken pins");
    tokens
}

impl Vocabulary {
    /// The concatenated tokens, and zeros, so that sixteen bytes can be read at any token.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.tokens.concat();
        bytes.extend_from_slice(&[0; 16]);
        bytes
    }

    /// The length of every token in one byte, padded with zeros to whole groups of sixteen.
    pub(crate) fn lengths(&self) -> Vec<u8> {
        let lengths = self.tokens.iter().map(|t| u8::try_from(t.len()).expect("tokens are short"));
        let mut lengths: Vec<u8> = lengths.collect();
        lengths.resize(lengths.len().next_multiple_of(16), 0);
        lengths
    }

    /// The hashes of the tokens of up to 15 bytes.
    pub(crate) fn key_hashes(&self) -> Vec<(u64, u32)> {
        let short = self.tokens.iter().zip(0..).filter(|(token, _)| (1..16).contains(&token.len()));
        let hash = |token: &[u8]| {
            let mut sixteen = [0; 16];
            sixteen[..token.len()].copy_from_slice(token);
            sixteen[15] = u8::try_from(token.len()).expect("it is at most 15");
            key_hash(u128::from_le_bytes(sixteen))
        };
        short.map(|(token, id)| (hash(token), id)).collect()
    }

    /// The hashes of the pairs that merge.
    pub(crate) fn pair_hashes(&self) -> Vec<(u64, u32)> {
        let packed = |parts: &[u8]| {
            let mut eight = [0; 8];
            eight[..5].copy_from_slice(parts);
            u64::from_le_bytes(eight)
        };
        let parts = self.parts();
        let pairs = parts.chunks_exact(5).map(packed).zip(&self.tokens).zip(0..);
        let merges = pairs.filter(|((_, token), _)| token.len() > 1);
        merges.map(|((pair, _), id)| (pair_hash(pair), id)).collect()
    }

    /// The id and the bytes of every token that is a merge, and the length of its left part.
    pub(crate) fn merges(&self) -> impl Iterator<Item = (u32, &[u8], usize)> {
        let ranks = self.ranks();
        let merges = self.tokens.iter().zip(0..).filter(|(token, _)| token.len() > 1);
        merges.map(move |(token, id)| (id, token.as_slice(), last_merge(token, &ranks)))
    }

    fn ranks(&self) -> HashMap<&[u8], u32> {
        self.tokens.iter().zip(0..).map(|(token, id)| (token.as_slice(), id)).collect()
    }

    /// For every token the two tokens that it is merged from, 18 bits each in five bytes. A single byte, and an id
    /// without a token, has its own id twice.
    ///
    /// The encoding of the bytes of a token must be that token, and both parts must have lower ranks. The engine
    /// relies on both, so they are verified here.
    pub(crate) fn parts(&self) -> Vec<u8> {
        let ranks = self.ranks();
        let mut packed = Vec::with_capacity(self.tokens.len() * 5 + 3);
        for (token, id) in self.tokens.iter().zip(0u32..) {
            let (left, right) = if token.len() < 2 {
                (id, id)
            } else {
                let split = last_merge(token, &ranks);
                (ranks[&token[..split]], ranks[&token[split..]])
            };
            for part in [left, right] {
                let single = self.tokens[part as usize].len() == 1;
                assert!(
                    token.len() < 2 || single || part < id,
                    "token {id} has a lower rank than its parts"
                );
            }
            let pair = u64::from(left) | u64::from(right) << ID_BITS;
            packed.extend_from_slice(&pair.to_le_bytes()[..5]);
        }
        packed.extend_from_slice(&[0; 3]); // Eight bytes can be read at any entry.
        packed
    }
}

/// Merges the bytes of `token` until two parts are left. The length of the left part.
fn last_merge(token: &[u8], ranks: &HashMap<&[u8], u32>) -> usize {
    let mut edges: Vec<usize> = (0..=token.len()).collect();
    while edges.len() > 3 {
        let rank = |i: &usize| ranks.get(&token[edges[*i]..edges[*i + 2]]);
        let next = (0..edges.len() - 2)
            .filter(|i| rank(i).is_some())
            .min_by_key(|i| rank(i))
            .expect("the merges of a token lead to the token");
        edges.remove(next + 1);
    }
    edges[1]
}

/// The special tokens of o200k_harmony as the source of a Rust slice. Id 200018 has two names.
pub(crate) fn harmony_specials() -> String {
    let named = [
        (199998, "startoftext"),
        (199999, "endoftext"),
        (200002, "return"),
        (200003, "constrain"),
        (200005, "channel"),
        (200006, "start"),
        (200007, "end"),
        (200008, "message"),
        (200012, "call"),
        (200018, "endofprompt"),
    ];
    let mut source = String::from("&[\n");
    for id in 199998..=201087 {
        let name = named.iter().find(|n| n.0 == id);
        if let Some((_, name)) = name {
            writeln!(source, "(\"<|{name}|>\", {id}),").expect("writing to a string");
        }
        if name.is_none() || id == 200018 {
            writeln!(source, "(\"<|reserved_{id}|>\", {id}),").expect("writing to a string");
        }
    }
    source.push(']');
    source
}
