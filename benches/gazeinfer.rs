//! Placeholder until the code under it lands.

fn main() {}
