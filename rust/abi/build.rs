//! Pins the library in memory: Deno unloads a library, and loses its state, with the last
//! Worker that opened it. See ARCHITECTURE.md, "The library is never closed".

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if matches!(os.as_str(), "linux" | "android" | "freebsd") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
