//! gazepublish
