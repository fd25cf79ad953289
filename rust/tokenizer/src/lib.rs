//! Exact OpenAI-compatible BPE tokenization.
