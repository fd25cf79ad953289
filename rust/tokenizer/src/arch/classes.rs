//! Bit masks of the character classes of a block of 64 bytes.

use crate::unicode::{class_at, code};

/// For each class that the patterns distinguish, a bit for every byte of a block of 64. A character outside ASCII has
/// a bit for each of its bytes. Bytes in no class are symbols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Classes {
    pub(crate) upper: u64,
    pub(crate) lower: u64,
    pub(crate) digit: u64,
    pub(crate) space: u64,
    /// White space other than spaces and line ends.
    pub(crate) blank: u64,
    pub(crate) line_end: u64,
    pub(crate) apostrophe: u64,
    pub(crate) slash: u64,
    /// Letters without case.
    pub(crate) caseless: u64,
    pub(crate) mark: u64,
    /// The continuation bytes of characters outside ASCII that are classified.
    pub(crate) inner: u64,
    /// The bytes of characters outside ASCII that are not classified yet.
    pub(crate) high: u64,
    /// The first bytes of characters that are [splittable](crate::vocab::is_splittable).
    pub(crate) splittable: u64,
}

impl Classes {
    /// The masks limited to the bytes of `keep`.
    #[inline(always)]
    pub(crate) fn within(self, keep: u64) -> Self {
        Self {
            upper: self.upper & keep,
            lower: self.lower & keep,
            digit: self.digit & keep,
            space: self.space & keep,
            blank: self.blank & keep,
            line_end: self.line_end & keep,
            apostrophe: self.apostrophe & keep,
            slash: self.slash & keep,
            caseless: self.caseless & keep,
            mark: self.mark & keep,
            inner: self.inner & keep,
            high: self.high & keep,
            splittable: self.splittable & keep,
        }
    }

    /// Classifies the characters in `high` of the block of `text` at `at` one by one. One that extends beyond the
    /// block stays in `high`.
    #[inline(always)]
    pub(crate) fn classify_rest(self, text: &[u8], at: usize) -> Self {
        let (mut codes, mut inner, mut high) = ([0; 3], 0, self.high);
        while high != 0 {
            let offset = high.trailing_zeros();
            let (class, width) = class_at(text, at + offset as usize);
            if offset + width as u32 > 64 {
                break;
            }
            let bits = ((1 << width) - 1) << offset;
            let code = u64::from(code(class));
            codes[0] |= bits & (code & 1).wrapping_neg();
            codes[1] |= bits & (code >> 1 & 1).wrapping_neg();
            codes[2] |= bits & (code >> 2).wrapping_neg();
            inner |= bits & (bits - 1);
            high &= !bits;
        }
        let mut classified = NonAscii::default();
        classified.add(codes);
        self.with(classified, inner, high)
    }

    /// Adds the characters whose first bytes are in `classified`, all of them in `self.high`. `first` has the
    /// first bytes of all characters of the block.
    #[cfg(has_vector_kernels)]
    #[inline(always)]
    pub(super) fn with_first_bytes(self, classified: NonAscii, first: u64) -> Self {
        let inner = self.high & !first;
        // A bit added to the beginning of a run carries beyond its end.
        let rest = |begin: u64| inner & !inner.wrapping_add(begin << 1);
        let whole = |begin: u64| begin | rest(begin);
        let mut all_bytes = NonAscii {
            upper: whole(classified.upper),
            lower: whole(classified.lower),
            caseless: whole(classified.caseless),
            ..NonAscii::default()
        };
        if classified.mark | classified.digit | classified.blank != 0 {
            all_bytes.mark = whole(classified.mark);
            all_bytes.digit = whole(classified.digit);
            all_bytes.blank = whole(classified.blank);
        }
        let all = classified.all();
        self.with(all_bytes, rest(all), self.high & !whole(all))
    }

    #[inline(always)]
    fn with(self, classified: NonAscii, inner: u64, high: u64) -> Self {
        Self {
            upper: self.upper | classified.upper,
            lower: self.lower | classified.lower,
            caseless: self.caseless | classified.caseless,
            mark: self.mark | classified.mark,
            digit: self.digit | classified.digit,
            blank: self.blank | classified.blank,
            inner: self.inner | inner,
            high,
            ..self
        }
    }
}

/// Characters outside ASCII by class: the bits of their first bytes, or of all their bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct NonAscii {
    upper: u64,
    lower: u64,
    pub(super) caseless: u64,
    mark: u64,
    digit: u64,
    blank: u64,
    pub(super) symbol: u64,
}

impl NonAscii {
    /// Adds the characters that have these bits of a [`code`].
    #[inline(always)]
    pub(super) fn add(&mut self, [a, b, c]: [u64; 3]) {
        let (only_a, only_b, both) = (a & !b, b & !a, a & b);
        self.lower |= only_a & !c;
        self.upper |= only_b & !c;
        self.caseless |= both & !c;
        self.mark |= only_a & c;
        self.digit |= both & c;
        self.blank |= only_b & c;
        self.symbol |= c & !(a | b);
    }

    #[cfg(has_vector_kernels)]
    #[inline(always)]
    fn all(&self) -> u64 {
        self.upper | self.lower | self.caseless | self.mark | self.digit | self.blank | self.symbol
    }
}
