//! gazeface
