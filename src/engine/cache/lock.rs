//! Locks that processes share.

use std::fs::{File, TryLockError};
use std::io;

/// Locks a file. Calls `waits` before it waits for another process.
pub(super) fn take(lock: &File, waits: impl FnOnce()) -> io::Result<()> {
    match lock.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            waits();
            lock.lock()
        }
        Err(TryLockError::Error(why)) => Err(why),
    }
}
