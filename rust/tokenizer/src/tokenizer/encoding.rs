//! The published OpenAI encodings: their names, special tokens and sizes.

/// A published OpenAI encoding: a vocabulary, a splitting pattern and a set of special tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Encoding {
    /// `r50k_base`, of GPT-2 and GPT-3.
    R50kBase,
    /// `p50k_base`, of Codex and text-davinci-003.
    P50kBase,
    /// `p50k_edit`, of the edit models: `p50k_base` with three more special tokens.
    P50kEdit,
    /// `cl100k_base`, of GPT-3.5, GPT-4 and the embedding models.
    Cl100kBase,
    /// `o200k_base`, of GPT-4o, GPT-4.1, GPT-5 and the o series.
    O200kBase,
    /// `o200k_harmony`, of gpt-oss: `o200k_base` with the tokens of the harmony format.
    O200kHarmony,
}

static END_OF_TEXT: &[(&str, u32)] = &[("<|endoftext|>", 50256)];
static P50K_EDIT: &[(&str, u32)] = &[
    ("<|endoftext|>", 50256),
    ("<|fim_prefix|>", 50281),
    ("<|fim_middle|>", 50282),
    ("<|fim_suffix|>", 50283),
];
static CL100K: &[(&str, u32)] = &[
    ("<|endoftext|>", 100257),
    ("<|fim_prefix|>", 100258),
    ("<|fim_middle|>", 100259),
    ("<|fim_suffix|>", 100260),
    ("<|endofprompt|>", 100276),
];
static O200K: &[(&str, u32)] = &[("<|endoftext|>", 199999), ("<|endofprompt|>", 200018)];
static HARMONY: &[(&str, u32)] = include!(concat!(env!("OUT_DIR"), "/harmony.rs"));

impl Encoding {
    /// Every encoding, oldest first.
    pub const ALL: [Self; 6] = [
        Self::R50kBase,
        Self::P50kBase,
        Self::P50kEdit,
        Self::Cl100kBase,
        Self::O200kBase,
        Self::O200kHarmony,
    ];

    /// The name of the encoding in `tiktoken`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::R50kBase => "r50k_base",
            Self::P50kBase => "p50k_base",
            Self::P50kEdit => "p50k_edit",
            Self::Cl100kBase => "cl100k_base",
            Self::O200kBase => "o200k_base",
            Self::O200kHarmony => "o200k_harmony",
        }
    }

    /// The encoding with this name in `tiktoken`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.name() == name)
    }

    /// The special tokens with their ids, by ascending id.
    ///
    /// In `o200k_harmony`, id 200018 has two names. Decoding uses the first, `<|endofprompt|>`.
    pub fn special_tokens(self) -> &'static [(&'static str, u32)] {
        match self {
            Self::R50kBase | Self::P50kBase => END_OF_TEXT,
            Self::P50kEdit => P50K_EDIT,
            Self::Cl100kBase => CL100K,
            Self::O200kBase => O200K,
            Self::O200kHarmony => HARMONY,
        }
    }

    /// One more than the greatest id. Some ids below it have no token.
    pub const fn vocab_size(self) -> u32 {
        match self {
            Self::R50kBase => 50257,
            Self::P50kBase => 50281,
            Self::P50kEdit => 50284,
            Self::Cl100kBase => 100277,
            Self::O200kBase => 200019,
            Self::O200kHarmony => 201088,
        }
    }
}
