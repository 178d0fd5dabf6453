//! When to infer, and when to carry the last result.
