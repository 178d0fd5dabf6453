//! Frame and region to tensor, in one pass.
