//! The field reader against `serde_json`, and chunks against their lines one by one.

use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use serde_json::Value;
use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer};

use super::chunk::{Chunk, Scratch};
use super::field::{Field, Found};
use super::settings::Settings;
use super::unescape::Unescaped;
use super::writer::{
    SLUICE_LINE_BLANK, SLUICE_LINE_NO_FIELD, SLUICE_LINE_NOT_OBJECT, SLUICE_LINE_NOT_STRING,
    SLUICE_LINE_NOT_UTF8, SLUICE_LINE_OK, SLUICE_LINE_SPECIAL_TOKEN, SLUICE_LINE_TOO_WIDE,
    SLUICE_LINE_UNSURE, Work,
};

static NEVER: AtomicBool = AtomicBool::new(false);

/// What a line has, as an owned value.
#[derive(Clone, Debug, PartialEq)]
enum Has {
    Text(String),
    Other,
    Missing,
    NotObject,
    Blank,
}

fn found(line: &str, field: &str) -> Option<Has> {
    let mut out = Unescaped::default();
    out.reserve(line.len()).expect("room");
    let field = Field::new(field).expect("room");
    let owned = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    Some(match field.find(line.as_bytes(), &mut out)? {
        Found::Plain { start, end } => Has::Text(line[start..end].to_owned()),
        Found::Unescaped { start, end } => Has::Text(owned(&out.bytes()[start..end])),
        Found::Other => Has::Other,
        Found::Missing => Has::Missing,
        Found::NotObject => Has::NotObject,
        Found::Blank => Has::Blank,
    })
}

/// The oracle. `None` if `serde_json` refuses the line.
fn expected(line: &str, field: &str) -> Option<Has> {
    if line.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
        return Some(Has::Blank);
    }
    let value: Value = serde_json::from_str(line).ok()?;
    let Value::Object(object) = &value else { return Some(Has::NotObject) };
    let has = |value: &Value| match value {
        Value::String(text) => Has::Text(text.clone()),
        _ => Has::Other,
    };
    if let Some(value) = object.get(field) {
        return Some(has(value));
    }
    let mut at = &value;
    let steps: Vec<&str> = field.split('.').collect();
    for (i, step) in steps.iter().enumerate() {
        let next = match at {
            Value::Object(object) => object.get(*step),
            Value::Array(_) if *step == "length" => {
                return Some(if i + 1 == steps.len() { Has::Other } else { Has::Missing });
            }
            Value::Array(array) => step
                .parse()
                .ok()
                .filter(|index: &usize| index.to_string() == *step)
                .and_then(|index| array.get(index)),
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None => return Some(Has::Missing),
        }
    }
    Some(has(at))
}

/// A string as it may be written, with and without escapes.
fn string() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        6 => "[ -!#-\\[\\]-~]{0,40}",
        2 => "\\PC{0,5}".prop_map(|text| text.replace(['"', '\\'], "")),
        1 => Just("\\n".to_owned()),
        1 => Just("\\\"".to_owned()),
        1 => Just("\\\\".to_owned()),
        1 => Just("\\u0041".to_owned()),
        1 => Just("\\ud83d\\uDE00".to_owned()),
        1 => Just("\\u0000\\/\\b\\f\\r\\t".to_owned()),
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("\"text\"".to_owned()),
        Just("\"a\"".to_owned()),
        Just("\"b\"".to_owned()),
        Just("\"a.b\"".to_owned()),
        Just("\"te\\u0078t\"".to_owned()),
        Just("\"0\"".to_owned()),
        Just("\"\"".to_owned()),
        string(),
    ]
}

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("\t \r")]
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => string(),
        1 => prop::sample::select(
            &["0", "-0", "12", "-1.5e3", "1E+2", "0.1", "true", "false", "null"][..]
        ).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let member = (name(), space(), space(), inner.clone())
            .prop_map(|(name, a, b, value)| format!("{a}{name}{b}:{a}{value}{b}"));
        prop_oneof![
            (prop::collection::vec(member, 0..4), space())
                .prop_map(|(members, space)| format!("{{{space}{}}}", members.join(","))),
            (prop::collection::vec(inner, 0..4), space())
                .prop_map(|(items, space)| format!("[{space}{}{space}]", items.join(","))),
        ]
    })
}

fn object() -> impl Strategy<Value = String> {
    let member = (name(), value()).prop_map(|(name, value)| format!("{name}:{value}"));
    (prop::collection::vec(member, 0..5), space())
        .prop_map(|(members, space)| format!("{space}{{{}}}{space}", members.join(",")))
}

/// A line with a change that mostly makes it invalid.
fn mutated() -> impl Strategy<Value = String> {
    let insert = prop::sample::select(
        &["\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "x", "\u{1}", "\u{FEFF}"][..],
    );
    (object(), any::<prop::sample::Index>(), 0..4usize, insert).prop_map(
        |(line, at, change, insert)| {
            let mut at = at.index(line.len() + 1);
            while !line.is_char_boundary(at) {
                at -= 1;
            }
            let (start, end) = line.split_at(at);
            let mut rest = end.chars();
            match change {
                0 => start.to_owned(),
                1 => format!("{start}{insert}{end}"),
                2 => {
                    rest.next();
                    format!("{start}{}", rest.as_str())
                }
                _ => line,
            }
        },
    )
}

const FIELDS: [&str; 9] = ["text", "a", "a.b", "a.0", "", ".", "a.length", "a.b.text.0", "0"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_is_read_as_serde_json_reads_it(line in prop_oneof![object(), mutated(), value()]) {
        for field in FIELDS {
            let expected = expected(&line, field);
            // A change can part the halves of a surrogate pair, which serde_json refuses.
            if expected.is_none() && line.to_lowercase().contains("\\ud") {
                continue;
            }
            prop_assert_eq!(found(&line, field), expected, "{:?} in {:?}", field, line);
        }
    }
}

#[test]
fn lines_that_serde_json_refuses_and_javascript_does_not() {
    let text = |text: &str| Some(Has::Text(text.to_owned()));
    assert_eq!(found(r#"{"text":"a\ud800b"}"#, "text"), text("a\u{FFFD}b"));
    assert_eq!(found(r#"{"text":"\udc00\ud83d"}"#, "text"), text("\u{FFFD}\u{FFFD}"));
    assert_eq!(found(r#"{"text":"\ud83d\ud83d\ude00"}"#, "text"), text("\u{FFFD}\u{1F600}"));
    assert_eq!(found(r#"{"text":"\ud83dé"}"#, "text"), text("\u{FFFD}é"));
    assert_eq!(found(r#"{"n":1e999,"text":"x"}"#, "text"), text("x"));
    assert_eq!(found(r#"{"\ud800":1,"text":"x"}"#, "text"), None, "a name that is not UTF-8");
    let deep = |n: usize| format!(r#"{{"d":{}{},"text":"x"}}"#, "[".repeat(n), "]".repeat(n));
    assert_eq!(found(&deep(1_025), "text"), text("x"));
    assert_eq!(found(&deep(1_026), "text"), None);
    assert_eq!(found(&deep(1_000_000), "text"), None);
    let path = vec!["a"; 64].join(".");
    let line = format!("{}\"x\"{}", "{\"a\":".repeat(64), "}".repeat(64));
    assert_eq!(found(&line, &path), text("x"));
    assert_eq!(found(&line, &format!("{path}.a")), None, "a path that is too long");
}

fn settings(special: SpecialTokenMode, words: [u32; 3]) -> Settings {
    let special = match special {
        SpecialTokenMode::Text => 0,
        SpecialTokenMode::Allow => 1,
        SpecialTokenMode::Error => 2,
    };
    let [bits, end, id] = words;
    let tokenizer = Tokenizer::get(Encoding::Cl100kBase);
    Settings::new(tokenizer, &[special, bits, end, id], "text").expect("settings")
}

fn write(
    bytes: &[u8],
    settings: &Settings,
    is_last: bool,
    scratch: &mut Scratch,
    cap: usize,
) -> (usize, Vec<u32>) {
    let mut out = vec![0; cap];
    let chunk = Chunk { bytes, is_last };
    let needed = chunk.write(settings, Work::Encode, scratch, &NEVER, &mut out).expect("written");
    (needed, out)
}

/// The results of a chunk, unpacked: for each line its start, its reason and its ids.
fn unpack(words: &[u32], needed: usize, is_narrow: bool) -> Vec<(u32, u32, Vec<u32>)> {
    let n = words[1] as usize;
    let (starts, rest) = words[6..needed].split_at(n);
    let (ends, rest) = rest.split_at(n);
    let (reasons, ids) = rest.split_at(n.div_ceil(4));
    let reasons: &[u8] = bytemuck::cast_slice(reasons);
    let ids: Vec<u32> = if is_narrow {
        let ids: &[u16] = bytemuck::cast_slice(ids);
        ids.iter().map(|&id| id.into()).collect()
    } else {
        ids.to_vec()
    };
    let mut before = 0;
    let line = |i: usize| {
        let own = ids[before..ends[i] as usize].to_vec();
        before = ends[i] as usize;
        (starts[i], u32::from(reasons[i]), own)
    };
    (0..n).map(line).collect()
}

/// Lines of all kinds, long and short, with and without escapes.
fn lines() -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for i in 0..400 {
        lines.push(match i % 11 {
            0 => format!(r#"{{"id":{i},"text":"Plain words, {i} of them."}}"#).into_bytes(),
            1 => format!(r#"{{"text":"with\nan \"escape\" {i}"}}"#).into_bytes(),
            2 => format!(r#"{{"text":"{}"}}"#, "long text, plain. ".repeat(20 * i)).into_bytes(),
            3 => format!(r#"{{"text":"{}"}}"#, "long text\\n".repeat(20 * i)).into_bytes(),
            4 => b" \t\r".to_vec(),
            5 => br#"{"text":7}"#.to_vec(),
            6 => br#"{"other":"x"}"#.to_vec(),
            7 => b"[1]".to_vec(),
            8 => br#"{"text":"torn"#.to_vec(),
            9 => format!(r#"{{"text":"naïve 中文 <|endoftext|> {i}"}}"#).into_bytes(),
            _ => br#"{"text":""}"#.to_vec(),
        });
    }
    lines.push(b"{\"text\":\"\xFF\"}".to_vec());
    lines.push(format!(r#"{{"text":"{}"}}"#, "z\\t".repeat(100_000)).into_bytes());
    lines.push(br#"{"text":"the last one"}"#.to_vec());
    lines
}

#[test]
fn a_chunk_equals_its_lines_one_by_one() {
    let lines = lines();
    let mut scratch = Scratch::default();
    let tokenizer = Tokenizer::get(Encoding::Cl100kBase);
    for (special, words) in [
        (SpecialTokenMode::Text, [32, 0, 0]),
        (SpecialTokenMode::Allow, [32, 1, 100_257]),
        (SpecialTokenMode::Error, [32, 2, 5]),
        (SpecialTokenMode::Text, [16, 1, 7]),
        (SpecialTokenMode::Error, [16, 0, 0]),
    ] {
        // With and without the line that keeps its block from being valid UTF-8.
        for lines in [&lines[..], &lines[..400]] {
            let settings = settings(special, words);
            let chunk = lines.join(&b'\n');
            let (needed, out) = write(&chunk, &settings, true, &mut scratch, chunk.len() * 2);
            let got = unpack(&out, needed, words[0] == 16);
            assert_eq!(got.len(), lines.len());
            assert_eq!(out[0] as usize, chunk.len());
            let mut start = 0;
            let mut greatest = None;
            let (mut bad, mut unsure) = (0, 0);
            for (line, (at, reason, ids)) in lines.iter().zip(&got) {
                assert_eq!(*at as usize, start);
                start += line.len() + 1;
                let wanted =
                    std::str::from_utf8(line).map_or(
                        Err(SLUICE_LINE_NOT_UTF8),
                        |line| match found(line, "text") {
                            None => Err(SLUICE_LINE_UNSURE),
                            Some(Has::Text(text)) => tokenizer
                                .encode(&text, special)
                                .map_err(|_| SLUICE_LINE_SPECIAL_TOKEN),
                            Some(Has::Other) => Err(SLUICE_LINE_NOT_STRING),
                            Some(Has::Missing) => Err(SLUICE_LINE_NO_FIELD),
                            Some(Has::NotObject) => Err(SLUICE_LINE_NOT_OBJECT),
                            Some(Has::Blank) => Err(SLUICE_LINE_BLANK),
                        },
                    );
                let is_wide = |ids: &[u32]| words[0] == 16 && ids.iter().any(|&id| id > 0xFFFF);
                let wanted = match wanted {
                    Ok(ids) if is_wide(&ids) => Err(SLUICE_LINE_TOO_WIDE),
                    Ok(ids) => Ok(match words[1] {
                        0 => ids,
                        1 => [&ids[..], &[words[2]]].concat(),
                        _ => [&[words[2]], &ids[..]].concat(),
                    }),
                    bad => bad,
                };
                assert_eq!(
                    (*reason, &ids[..]),
                    match &wanted {
                        Ok(ids) => (SLUICE_LINE_OK, &ids[..]),
                        Err(reason) => (*reason, &[][..]),
                    }
                );
                greatest = greatest.max(ids.iter().copied().max());
                unsure += u32::from(*reason == SLUICE_LINE_UNSURE);
                let fine = [SLUICE_LINE_OK, SLUICE_LINE_BLANK, SLUICE_LINE_UNSURE];
                bad += u32::from(!fine.contains(reason));
            }
            assert_eq!((out[2], out[3]), (bad, unsure));
            assert_eq!(out[4] as usize, got.iter().map(|(_, _, ids)| ids.len()).sum::<usize>());
            assert_eq!(Some(out[5]), greatest);
        }
    }
}

#[test]
fn a_chunk_that_does_not_fit_says_how_much_room_is_enough() {
    let chunk = lines().join(&b'\n');
    let settings = settings(SpecialTokenMode::Text, [32, 1, 9]);
    let mut scratch = Scratch::default();
    let (needed, whole) = write(&chunk, &settings, true, &mut scratch, chunk.len() * 2);
    for cap in [0, 5, 6, 500, needed / 2, needed - 1] {
        let (enough, _) = write(&chunk, &settings, true, &mut scratch, cap);
        assert!(enough > cap);
        let (again, out) = write(&chunk, &settings, true, &mut scratch, enough);
        assert_eq!((again, &out[..needed]), (needed, &whole[..needed]), "{cap}");
    }
    assert_eq!(write(&chunk, &settings, true, &mut scratch, needed).1, whole[..needed]);
}

#[test]
fn only_complete_lines_are_read() {
    let settings = settings(SpecialTokenMode::Text, [32, 0, 0]);
    let mut scratch = Scratch::default();
    for (bytes, is_last, consumed, lines) in [
        (&b""[..], true, 0, 0),
        (b"", false, 0, 0),
        (b"{}", true, 2, 1),
        (b"{}", false, 0, 0),
        (b"{}\n", true, 3, 1),
        (b"{}\n{}", false, 3, 1),
        (b"{}\n{}", true, 5, 2),
        (b"\n\n", false, 2, 2),
    ] {
        let (_, out) = write(bytes, &settings, is_last, &mut scratch, 64);
        assert_eq!((out[0], out[1]), (consumed, lines), "{bytes:?} {is_last}");
    }
}
