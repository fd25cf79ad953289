//! Pins the library in memory where a linker can say so: Deno unloads a library, and loses its state, with the last
//! Worker that opened it. See ARCHITECTURE.md, "The library is never closed".
//! On macOS the library's own name is not the path at which it was built.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if matches!(os.as_str(), "linux" | "android" | "freebsd") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    if os == "macos" {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libsluice.dylib");
    }
}
