//! GazeMeta.
