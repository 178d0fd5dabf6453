//! Memory that frames are brought to.

use crate::nvidia::linear::LinearCopy;

/// Memory that frames are brought to, kept from frame to frame.
#[derive(Default)]
pub struct Staging {
    pub(super) host: Vec<u8>,
    pub(super) linear: Option<LinearCopy>,
}
