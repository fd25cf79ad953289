//! Transcoding with AVX-512, in vectors of 32 units.
//!
//! Each unit is widened to four bytes that hold the UTF-8 of its character, and then the unused bytes are
//! compressed away. The method is that of Robert Clausecker and Daniel Lemire, "Transcoding Unicode characters
//! with AVX-512 instructions", 2023.

use std::arch::x86_64::{
    __m256i, __m512i, _mm256_loadu_si256, _mm256_storeu_si256, _mm512_and_si512,
    _mm512_castsi512_si256, _mm512_cmpeq_epi16_mask, _mm512_cmpge_epu16_mask, _mm512_cvtepi16_epi8,
    _mm512_cvtepu8_epi16, _mm512_cvtepu16_epi32, _mm512_extracti64x4_epi64, _mm512_loadu_si512,
    _mm512_mask_blend_epi32, _mm512_mask_mov_epi16, _mm512_maskz_compress_epi8, _mm512_or_si512,
    _mm512_set1_epi16, _mm512_set1_epi32, _mm512_slli_epi32, _mm512_srli_epi32,
    _mm512_storeu_si512, _mm512_sub_epi32, _mm512_test_epi16_mask, _pdep_u64,
};
use std::sync::OnceLock;

/// Units of a block.
const BLOCK: usize = 32;
/// Bytes of one store, of which at most 3 * 16 are used.
const STORE: usize = 64;

/// The features that [`latin1`] and [`utf16`] are compiled for, but BMI2 and POPCNT, which each such processor has.
pub(super) const FEATURES: &str = "avx512f avx512bw avx512vbmi2";

/// Whether the processor has the features that [`latin1`] and [`utf16`] are compiled for.
pub(super) fn is_available() -> bool {
    static IS_AVAILABLE: OnceLock<bool> = OnceLock::new();
    *IS_AVAILABLE.get_or_init(|| {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt")
    })
}

/// Writes whole blocks of `units` as UTF-8, and returns how many units were read and how many bytes written.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi2,popcnt")]
pub(super) fn latin1(units: &[u8], out: &mut [u8]) -> (usize, usize) {
    run(units.len(), out, |at| {
        let block: &[u8] = &units[at..at + BLOCK];
        // SAFETY: the block is as long as the load, which needs no alignment.
        _mm512_cvtepu8_epi16(unsafe { _mm256_loadu_si256(block.as_ptr().cast()) })
    })
}

/// As [`latin1`], for UTF-16. It never stops between the two units of a surrogate pair.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi2,popcnt")]
pub(super) fn utf16(units: &[[u8; 2]], out: &mut [u8]) -> (usize, usize) {
    run(units.len(), out, |at| {
        let block: &[[u8; 2]] = &units[at..at + BLOCK];
        // SAFETY: the block is as long as the load, which needs no alignment.
        unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
    })
}

/// Transcodes block by block. `load` loads the 32 units from an index on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi2,popcnt")]
fn run(length: usize, out: &mut [u8], load: impl Fn(usize) -> __m512i) -> (usize, usize) {
    let (mut read, mut written) = (0, 0);
    let all = |value: u16| _mm512_set1_epi16(value.cast_signed());
    // One unit more than a block: the last may be the first half of a pair.
    while read + BLOCK < length
        && let Some(room) = out.get_mut(written..written + 2 * STORE)
    {
        let units = load(read);
        let beyond_ascii = _mm512_test_epi16_mask(units, all(0xFF80));
        if beyond_ascii == 0 {
            // SAFETY: there is room for four times the 32 bytes.
            unsafe { _mm256_storeu_si256(room.as_mut_ptr().cast(), _mm512_cvtepi16_epi8(units)) };
            (read, written) = (read + BLOCK, written + BLOCK);
            continue;
        }
        let begins_with =
            |six: u16| _mm512_cmpeq_epi16_mask(_mm512_and_si512(units, all(0xFC00)), all(six));
        let (first, second) = (begins_with(0xD800), begins_with(0xDC00));
        if first | second == 0 {
            let three = _mm512_cmpge_epu16_mask(units, all(0x800));
            let of = |shift: u32| Lengths {
                one: u16::MAX,
                two: (beyond_ascii >> shift) as u16,
                three: (three >> shift) as u16,
                four: 0,
            };
            let (low, high) = (lower(units), upper(units));
            let low = compress(characters(low, of(0)), of(0), &mut room[..STORE]);
            let high = compress(characters(high, of(16)), of(16), &mut room[low..]);
            (read, written) = (read + BLOCK, written + low + high);
            continue;
        }
        // A high surrogate at the end is left for the next block, so that no block begins within a pair.
        let last = first >> (BLOCK - 1);
        let whole = u32::MAX >> last;
        let pairs = first & second >> 1;
        let lone = (first | second) & !(pairs | pairs << 1);
        let units = _mm512_mask_mov_epi16(units, lone, all(0xFFFD));
        let three = _mm512_cmpge_epu16_mask(units, all(0x800));
        let of = |shift: u32| Lengths {
            one: ((whole & !(pairs << 1)) >> shift) as u16,
            two: (beyond_ascii >> shift) as u16,
            three: (three >> shift) as u16,
            four: (pairs >> shift) as u16,
        };
        let next = load(read + 1);
        let low = paired(characters(lower(units), of(0)), lower(units), lower(next), of(0));
        let high = paired(characters(upper(units), of(16)), upper(units), upper(next), of(16));
        let low = compress(low, of(0), &mut room[..STORE]);
        let high = compress(high, of(16), &mut room[low..]);
        (read, written) = (read + BLOCK - last as usize, written + low + high);
    }
    (read, written)
}

/// Bit masks of 16 units: which begin a character of at least one, two, three and four bytes.
#[derive(Clone, Copy)]
struct Lengths {
    one: u16,
    two: u16,
    three: u16,
    four: u16,
}

#[inline]
#[target_feature(enable = "avx512f")]
fn lower(units: __m512i) -> __m512i {
    _mm512_cvtepu16_epi32(_mm512_castsi512_si256(units))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn upper(units: __m512i) -> __m512i {
    let upper: __m256i = _mm512_extracti64x4_epi64::<1>(units);
    _mm512_cvtepu16_epi32(upper)
}

/// The UTF-8 of units that are whole characters, with the first byte lowest.
#[inline]
#[target_feature(enable = "avx512f")]
fn characters(units: __m512i, Lengths { two, three, .. }: Lengths) -> __m512i {
    let all = |value: i32| _mm512_set1_epi32(value);
    let last = continuation(units);
    let middle = continuation(_mm512_srli_epi32::<6>(units));
    let twos = _mm512_or_si512(
        _mm512_or_si512(_mm512_srli_epi32::<6>(units), all(0xC0)),
        _mm512_slli_epi32::<8>(last),
    );
    let threes = _mm512_or_si512(
        _mm512_or_si512(_mm512_srli_epi32::<12>(units), all(0xE0)),
        _mm512_or_si512(_mm512_slli_epi32::<8>(middle), _mm512_slli_epi32::<16>(last)),
    );
    _mm512_mask_blend_epi32(three, _mm512_mask_blend_epi32(two, units, twos), threes)
}

/// `characters` with the UTF-8 of each surrogate pair at its first unit.
#[inline]
#[target_feature(enable = "avx512f")]
fn paired(characters: __m512i, units: __m512i, next: __m512i, lengths: Lengths) -> __m512i {
    let all = |value: i32| _mm512_set1_epi32(value);
    // (first - 0xD800) * 0x400 + 0x10000, and the ten bits of the second.
    let point = _mm512_or_si512(
        _mm512_slli_epi32::<10>(_mm512_sub_epi32(units, all(0xD7C0))),
        _mm512_and_si512(next, all(0x3FF)),
    );
    let fours = _mm512_or_si512(
        _mm512_or_si512(
            _mm512_or_si512(_mm512_srli_epi32::<18>(point), all(0xF0)),
            _mm512_slli_epi32::<8>(continuation(_mm512_srli_epi32::<12>(point))),
        ),
        _mm512_or_si512(
            _mm512_slli_epi32::<16>(continuation(_mm512_srli_epi32::<6>(point))),
            _mm512_slli_epi32::<24>(continuation(point)),
        ),
    );
    _mm512_mask_blend_epi32(lengths.four, characters, fours)
}

/// The six lowest bits as a continuation byte.
#[inline]
#[target_feature(enable = "avx512f")]
fn continuation(value: __m512i) -> __m512i {
    let six = _mm512_and_si512(value, _mm512_set1_epi32(0x3F));
    _mm512_or_si512(six, _mm512_set1_epi32(0x80))
}

/// Writes the used bytes contiguously, and returns how many there are.
#[inline]
#[target_feature(enable = "avx512f,avx512vbmi2,bmi2,popcnt")]
fn compress(characters: __m512i, lengths: Lengths, room: &mut [u8]) -> usize {
    let Lengths { one, two, three, four } = lengths;
    // One bit of each four: the first byte of each character, then the second, and so on.
    let of =
        |lengths: u16, byte: u32| _pdep_u64((lengths & one).into(), 0x1111_1111_1111_1111 << byte);
    let count = of(one, 0) | of(two, 1) | of(three, 2) | of(four, 3);
    let room = &mut room[..STORE];
    // SAFETY: the room is as long as the store, which needs no alignment.
    unsafe {
        _mm512_storeu_si512(
            room.as_mut_ptr().cast(),
            _mm512_maskz_compress_epi8(count, characters),
        );
    }
    count.count_ones() as usize
}
