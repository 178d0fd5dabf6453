//! gazeoverlay
