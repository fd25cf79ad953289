//! abigen
fn main() {}
