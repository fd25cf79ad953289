//! Pinning: keeps the library loaded for as long as the process lives.
//!
//! Linux pins at link time (`-z nodelete`, see `build.rs`). macOS never unloads an image that has thread-locals,
//! as this one has. Windows needs a call.

/// Pins the library; called once, when the ABI hash is first asked for.
#[cfg(not(windows))]
pub(crate) fn pin() {}

/// Pins the library; called once, when the ABI hash is first asked for.
#[cfg(windows)]
pub(crate) fn pin() {
    const PIN: u32 = 0x1;
    const FROM_ADDRESS: u32 = 0x4;
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(
            flags: u32,
            address: *const core::ffi::c_void,
            module: *mut *mut core::ffi::c_void,
        ) -> i32;
    }
    let mut module = core::ptr::null_mut();
    // SAFETY: the address lies in this module, and `module` is valid for the result.
    // A failure leaves the library as unpinned as it was before.
    unsafe { GetModuleHandleExW(PIN | FROM_ADDRESS, pin as *const _, &mut module) };
}
