//! Special tokens in the three modes, against goldens and live oracles.

use proptest::prelude::*;
use serde::Deserialize;
use sluice_tokenizer::{Encoding, Error, SpecialTokenMode, Tokenizer};

use crate::goldens::read;
use crate::support::oracle::{LACKING, assert_exact, naive, reference, special_tokens};
use crate::support::texts::strategy;

#[derive(Deserialize)]
struct Goldens {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    encoding: String,
    text: String,
    allow: Vec<u32>,
    ordinary: Vec<u32>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    name: String,
    byte_offset: usize,
}

#[test]
fn goldens_in_all_modes() {
    let goldens: Goldens = read("specials.json");
    assert!(goldens.cases.len() >= 160);
    for case in &goldens.cases {
        let text = &case.text;
        let named = format!("{} {text:?}", case.encoding);
        let encoding = Encoding::from_name(&case.encoding).expect("a known encoding");
        let tokenizer = Tokenizer::get(encoding);
        let naive = naive(encoding);
        assert_eq!(naive.encode_allowing(text, encoding.special_tokens()), case.allow, "{named}");
        assert_eq!(naive.encode(text), case.ordinary, "{named}");

        assert_eq!(
            tokenizer.encode(text, SpecialTokenMode::Allow).as_ref(),
            Ok(&case.allow),
            "{named}"
        );
        assert_eq!(
            tokenizer.encode(text, SpecialTokenMode::Text).as_ref(),
            Ok(&case.ordinary),
            "{named}"
        );
        let refused = match (&case.error, tokenizer.encode(text, SpecialTokenMode::Error)) {
            (Some(golden), Err(Error::SpecialToken { name, offset })) => {
                assert_eq!((name, offset), (golden.name.as_str(), golden.byte_offset), "{named}");
                true
            }
            (None, Ok(ids)) => {
                assert_eq!(ids, case.ordinary, "{named}");
                false
            }
            (golden, ours) => panic!("{named}: refusal {}, {ours:?}", golden.is_some()),
        };
        assert_eq!(tokenizer.count(text, SpecialTokenMode::Allow), Ok(case.allow.len()), "{named}");
        assert_eq!(
            tokenizer.count(text, SpecialTokenMode::Text),
            Ok(case.ordinary.len()),
            "{named}"
        );
        assert_eq!(tokenizer.count(text, SpecialTokenMode::Error).is_err(), refused, "{named}");
    }
}

/// Texts with complete and truncated names of special tokens among similar fragments.
fn with_names() -> impl Strategy<Value = (Encoding, String)> {
    prop::sample::select(Encoding::ALL.to_vec()).prop_flat_map(|encoding| {
        let names: Vec<&'static str> =
            special_tokens(encoding).iter().map(|&(name, _)| name).collect();
        let name = prop::sample::select(names.clone());
        let broken = (prop::sample::select(names), 0..16usize, any::<bool>()).prop_map(
            |(name, cut, head)| {
                let cut = cut.min(name.len());
                String::from(if head { &name[..cut] } else { &name[cut..] })
            },
        );
        let part = prop_oneof![
            2 => name.prop_map(String::from),
            1 => broken,
            1 => prop::sample::select(&["<", "|", ">", "<|", "|>", " ", "\n", "  "][..])
                .prop_map(String::from),
            2 => strategy(),
        ];
        (Just(encoding), prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases(2_000)))]

    #[test]
    fn generated_texts_in_all_modes((encoding, text) in with_names()) {
        let tokenizer = Tokenizer::get(encoding);
        let special = special_tokens(encoding);

        let allowed = naive(encoding).encode_allowing(&text, special);
        if encoding != Encoding::O200kHarmony || !text.contains(LACKING.0) {
            let reference = reference(encoding).encode_with_special_tokens(&text);
            prop_assert_eq!(&allowed, &reference);
        }
        prop_assert_eq!(tokenizer.count(&text, SpecialTokenMode::Allow), Ok(allowed.len()));
        prop_assert_eq!(tokenizer.encode(&text, SpecialTokenMode::Allow), Ok(allowed));

        assert_exact(encoding, &text);

        let first = special
            .iter()
            .filter_map(|&(name, _)| text.find(name).map(|offset| (offset, name)))
            .min();
        match first {
            Some((offset, name)) => {
                let refusal = || Error::SpecialToken { name, offset };
                prop_assert_eq!(tokenizer.encode(&text, SpecialTokenMode::Error), Err(refusal()));
                prop_assert_eq!(tokenizer.count(&text, SpecialTokenMode::Error), Err(refusal()));
                let within = tokenizer.count_within(&text, SpecialTokenMode::Error, usize::MAX);
                prop_assert_eq!(within, Err(refusal()));
                let into = tokenizer.encode_into(&text, SpecialTokenMode::Error, &mut vec![0; text.len()]);
                prop_assert_eq!(into, Err(refusal()));
            }
            None => prop_assert_eq!(
                tokenizer.encode(&text, SpecialTokenMode::Error),
                tokenizer.encode(&text, SpecialTokenMode::Text)
            ),
        }
    }
}
