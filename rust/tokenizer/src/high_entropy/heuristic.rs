//! A saturating counter that detects high-entropy text by its lookup misses.

/// Counts recent lookup misses that look like high-entropy text against those that do not.
pub(crate) struct EntropyHeuristic(u8);

impl EntropyHeuristic {
    /// No evidence.
    pub(crate) const NO: Self = Self(0);
    /// The surplus of evidence at which the fast path is tried.
    const LIKELY: u8 = 16;

    /// Whether the text is likely to have high entropy.
    #[inline(always)]
    pub(crate) fn is_likely(&self) -> bool {
        self.0 >= Self::LIKELY
    }

    /// Counts a miss: a pre-token of `length` bytes that was merged to `tokens` tokens.
    #[inline(always)]
    pub(crate) fn observe(&mut self, length: usize, tokens: usize) {
        let is_evidence = 2 * tokens >= length;
        self.0 =
            if is_evidence { (self.0 + 1).min(Self::LIKELY) } else { self.0.saturating_sub(1) };
    }
}
