//! The arithmetic of one limit, without locks or keys.

pub(crate) mod calendar;
pub(crate) mod credit;
pub(crate) mod encoding;
pub(crate) mod limit;
pub(crate) mod prepared_limit;
pub(crate) mod quota_window;
pub(crate) mod refusal;
pub(crate) mod state;
pub(crate) mod time_zone;
