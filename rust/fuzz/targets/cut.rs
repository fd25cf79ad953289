//! `cut`: both parts encoded apart give the ids of the whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer};

fuzz_target!(|data: &[u8]| {
    let [choice, near, bytes @ ..] = data else { return };
    let encoding = Encoding::ALL[usize::from(*choice) % Encoding::ALL.len()];
    let tokenizer = Tokenizer::get(encoding);
    let text = String::from_utf8_lossy(bytes);
    let near = usize::from(*near) * (text.len() + 2) / 255;
    let Some(at) = tokenizer.cut(&text, near) else { return };

    let ids = |text: &str| tokenizer.encode(text, SpecialTokenMode::Text).expect("ordinary text");
    let parts = [ids(&text[..at]), ids(&text[at..])].concat();
    assert_eq!(parts, ids(&text), "{} cut at {at}: {text:?}", encoding.name());
});
