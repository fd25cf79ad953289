//! Decoding any ids: the bytes of each in a row, or the place of the first that is none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_tokenizer::{Encoding, Error, Tokenizer};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else { return };
    let encoding = Encoding::ALL[usize::from(choice) % Encoding::ALL.len()];
    let tokenizer = Tokenizer::get(encoding);
    // Three bytes reach every token and some ids beyond; a fourth would hardly ever hit one.
    let number = |id: &[u8]| id.iter().fold(0, |number, &byte| number << 8 | u32::from(byte));
    let ids: Vec<u32> = bytes.chunks(3).map(number).collect();

    let mut expected = Vec::new();
    let mut unknown = None;
    for (index, &id) in ids.iter().enumerate() {
        match tokenizer.token_bytes(id) {
            Some(bytes) => expected.extend_from_slice(bytes),
            None => {
                unknown = Some(Error::UnknownToken { id, index });
                break;
            }
        }
    }
    let mut buffer = vec![0; expected.len()];
    let decoded = tokenizer.decode(&ids);
    let into = tokenizer.decode_into(&ids, &mut buffer);
    let short = tokenizer.decode_into(&ids, &mut vec![0; expected.len() / 2]);
    match unknown {
        Some(error) => {
            assert_eq!(decoded.as_ref(), Err(&error));
            assert_eq!(into.as_ref(), Err(&error));
            assert_eq!(short, Err(error));
        }
        None => {
            assert_eq!(into, Ok(expected.len()));
            assert_eq!(short, Ok(expected.len()));
            assert_eq!(buffer, expected);
            assert_eq!(decoded, Ok(expected));
        }
    }
});
