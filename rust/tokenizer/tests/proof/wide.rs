//! Long runs of characters of three and four bytes, which the engine splits at boundaries that no merge crosses:
//! chains of their tokens, some of which are parts of characters, so that crossed and uncrossed boundaries alternate.

use sluice_tokenizer::Encoding;

use crate::support::oracle::{DISTINCT, ids, naive, vocabulary};
use crate::support::texts::Rng;

/// The number of bytes missing at the end of the last character.
fn missing(bytes: &[u8]) -> usize {
    let Some(begin) = bytes.iter().rposition(|byte| byte & 0xC0 != 0x80) else { return 0 };
    let length = match bytes[begin] {
        ..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0.. => 4,
    };
    (begin + length).saturating_sub(bytes.len())
}

/// The token completed to valid UTF-8 by bytes before and after it, if such bytes exist.
fn completed(rng: &mut Rng, token: &[u8]) -> Option<String> {
    let mut bytes = Vec::new();
    let inner = token.iter().take_while(|byte| *byte & 0xC0 == 0x80).count();
    match inner {
        0 => {}
        1 if rng.below(2) == 0 => bytes.extend([0xF0, 0x9F, 0x98]),
        1 => bytes.extend([0xE4 + rng.below(6) as u8, 0x80 + rng.below(64) as u8]),
        2 if rng.below(2) == 0 => bytes.extend([0xF0, 0x9F]),
        2 => bytes.push(0xE4 + rng.below(6) as u8),
        _ => bytes.push(0xF0),
    }
    bytes.extend(token);
    for _ in 0..missing(&bytes) {
        bytes.push(0x80 + rng.below(64) as u8);
    }
    String::from_utf8(bytes).ok()
}

fn wide_tokens(encoding: Encoding) -> Vec<Vec<u8>> {
    let is_wide = |token: &[u8]| token.iter().any(|&byte| byte >= 0xE0 || byte & 0xC0 == 0x80);
    vocabulary(encoding).map(|(token, _)| token).filter(|token| is_wide(token)).collect()
}

#[test]
fn chains_of_wide_tokens() {
    let mut rng = Rng(0x51DE);
    for encoding in DISTINCT {
        let tokens = wide_tokens(encoding);
        let mut texts = 0;
        while texts < 20_000 {
            let mut text = String::new();
            for _ in 0..1 + rng.below(12) {
                let token = &tokens[rng.below(tokens.len())];
                text.extend(completed(&mut rng, token));
                if rng.below(4) == 0 {
                    text.extend(char::from_u32(0x4E00 + rng.below(0x5200) as u32));
                }
            }
            assert_eq!(
                ids(encoding, &text),
                naive(encoding).encode(&text),
                "{} {text:?}",
                encoding.name()
            );
            texts += usize::from(!text.is_empty());
        }
    }
}
