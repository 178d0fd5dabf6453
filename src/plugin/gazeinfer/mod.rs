//! gazeinfer
mod settings;
