//! Execution providers.
