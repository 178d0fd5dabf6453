//! Compiled models kept on disk: the first start compiles, the next one loads.
//!
//! A provider that gives its compiled models out has an [`entry`] for each; one that writes its own
//! files has a [`folder`] for each. Both are named by an [`identity`]: everything that a compiled model
//! depends on, so that another model, option or version finds nothing instead of a wrong one. The
//! directory ([`location`]) belongs to its user alone ([`private_directory`]) and may be emptied at any
//! time; what has not been used for long goes by itself ([`eviction`]).

pub(super) mod entry;
mod eviction;
pub(super) mod folder;
pub(super) mod identity;
pub(super) mod location;
mod lock;
mod private_directory;
