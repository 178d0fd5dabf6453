//! What a buffer shows: a new picture, the last one again, or none; and whether results are reused on it.

/// What a buffer shows.
///
/// The flag GAP has two meanings. An element that fills a hole sends a buffer without content. `videorate`
/// sets it on a picture that it repeats: the pixels are those of the buffer before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture {
    /// A picture of its own.
    New,
    /// The picture of the buffer before.
    Repeated,
    /// No picture.
    Absent,
}

impl Picture {
    /// What this buffer shows.
    pub fn of(buffer: &gst::BufferRef) -> Self {
        if !buffer.flags().contains(gst::BufferFlags::GAP) {
            Self::New
        } else if buffer.size() > 0 {
            Self::Repeated
        } else {
            Self::Absent
        }
    }
}

/// Why a frame may go without an inference; the default is no reason.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reuse {
    /// It is too late for one.
    pub late: bool,
    /// It shows the picture of the frame before.
    pub repeated: bool,
}
