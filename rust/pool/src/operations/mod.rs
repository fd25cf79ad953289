//! Operations of a pool beyond `pool`: granting, timers, membership, configuration, observation.

pub(crate) mod configuration;
pub(crate) mod grant;
pub(crate) mod membership;
pub(crate) mod observe;
pub(crate) mod shared_call;
pub(crate) mod shared_reply;
pub(crate) mod sharing;
pub(crate) mod timers;
