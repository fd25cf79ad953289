//! Decoder of requests, for the reference store: the inverse of the encoders in `message`.

use crate::shared::message::{LimitReport, SyncRequest, Waiter, WireKind, WireLimit};

/// A request to the store.
pub(super) enum Request {
    Sync(SyncRequest),
    Limits { seq: u64, settings: Vec<Setting> },
    Reset { seq: u64 },
}

/// A limit that is set: capacity (none if unlimited) and rate; or none, to clear it.
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) limit: Option<(Option<u64>, u64, u64)>,
}

impl Request {
    /// # Panics
    ///
    /// Panics if the text is not a request.
    #[expect(clippy::expect_used, reason = "a test that sends something else should fail")]
    pub(super) fn parse(text: &str) -> Self {
        let mut words = text.split(' ');
        let request = Self::read(&mut words).expect("a request");
        assert_eq!(words.next(), None, "nothing follows a request");
        request
    }

    fn read<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
        let operation = words.next()?;
        let process = words.next()?.to_owned();
        let [seq, lease_us, epoch, strict] = numbers(words)?;
        let config = words.next()?.to_owned();
        let [leaving, limits, waiters] = numbers(words)?;
        match operation {
            "reset" => return Some(Self::Reset { seq }),
            "limits" => {
                let settings = (0..limits).map(|_| setting(words)).collect::<Option<_>>()?;
                return Some(Self::Limits { seq, settings });
            }
            _ => {}
        }
        let reports = (0..limits).map(|_| report(words)).collect::<Option<Vec<_>>>()?;
        Some(Self::Sync(SyncRequest {
            is_peek: operation == "peek",
            process,
            seq,
            lease_us,
            is_leaving: leaving == 1,
            epoch,
            is_strict: strict == 1,
            config,
            limits: reports,
            waiters: (0..waiters).map(|_| waiter(words, limits)).collect::<Option<_>>()?,
        }))
    }
}

fn report<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<LimitReport> {
    let name = words.next()?.to_owned();
    let kind = words.next()?;
    let capacity = capacity(words.next()?)?;
    let [a, b, c, spent, debt, bind, want, restore] = numbers(words)?;
    let kind = match kind {
        "r" => WireKind::Rate { quanta: a, us: b },
        "q" => WireKind::Quota { start_us: a, end_us: b, next_end_us: c },
        "c" => WireKind::Concurrency,
        _ => return None,
    };
    let limit = WireLimit { kind, capacity };
    Some(LimitReport { name, limit, spent, debt, bind, want, restore })
}

fn setting<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<Setting> {
    let name = words.next()?.to_owned();
    let word = words.next()?;
    let [a, b] = numbers(words)?;
    let limit = if word == "-" { None } else { Some((capacity(word)?, a, b)) };
    Some(Setting { name, limit })
}

fn waiter<'a>(words: &mut impl Iterator<Item = &'a str>, limits: u64) -> Option<Waiter> {
    let is_reservation = words.next()? == "r";
    let costs = (0..limits).map(|_| words.next()?.parse().ok()).collect::<Option<_>>()?;
    Some(Waiter { is_reservation, costs })
}

fn capacity(word: &str) -> Option<Option<u64>> {
    if word == "-1" { Some(None) } else { Some(Some(word.parse().ok()?)) }
}

fn numbers<'a, const N: usize>(words: &mut impl Iterator<Item = &'a str>) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = words.next()?.parse().ok()?;
    }
    Some(numbers)
}
