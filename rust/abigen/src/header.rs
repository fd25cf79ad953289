//! The C header `sluice.h`, as `cbindgen` writes it.

use cbindgen::Bindings;

/// The text of the header.
pub(crate) fn write(bindings: &Bindings) -> String {
    let mut header = Vec::new();
    bindings.write(&mut header);
    String::from_utf8_lossy(&header).into_owned()
}
