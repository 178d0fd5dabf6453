//! gazeinfer
