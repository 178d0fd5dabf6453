//! Tells when results of `gazeinfer` do not arrive at an element that reads them.

use gst::prelude::*;
use parking_lot::Mutex;

use super::upstream::Upstream;
use crate::plugin::meta::{MAX_FACES, gaze};

/// So many buffers in a row without `GazeMeta` are no chance: `gazeinfer` attaches one to every frame,
/// with or without a face.
const BUFFERS: u32 = 100;

/// Counts the buffers without `GazeMeta` that an element sees, and warns once a stream.
#[derive(Debug, Default)]
pub struct LostResults(Mutex<Count>);

impl LostResults {
    /// A new stream begins.
    pub fn reset(&self) {
        *self.0.lock() = Count::default();
    }

    /// Counts a buffer whose result has so many faces, or that has none. `verb` says what `element` does
    /// with results.
    pub fn count(
        &self,
        element: &impl IsA<gst::Element>,
        verb: &str,
        buffer: &gst::BufferRef,
        faces: Option<usize>,
    ) {
        let loss = self.0.lock().count(faces, || gaze::is_on(buffer));
        if let Some(loss) = loss {
            loss.post(element.upcast_ref(), verb);
        }
    }

    /// The stream ends.
    pub fn finish(&self, element: &impl IsA<gst::Element>, verb: &str) {
        let loss = self.0.lock().finish();
        if let Some(loss) = loss {
            loss.post(element.upcast_ref(), verb);
        }
    }
}

#[derive(Debug, Default)]
struct Count {
    /// Buffers since the last one with a result, or since the start.
    without: u32,
    /// Whether any buffer had a result.
    seen: bool,
    /// Whether a buffer had a `GazeMeta` that cannot be read.
    unreadable: bool,
    told: bool,
    limit_told: bool,
}

/// What to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// No `GazeMeta` arrives. `seen` says whether some did before.
    Missing {
        /// The number of buffers without.
        buffers: u32,
        /// Whether earlier buffers had one.
        seen: bool,
    },
    /// `GazeMeta` arrives without a frame size.
    Unreadable,
    /// A frame has as many faces as the element looks at, or more.
    TooManyFaces,
}

impl Count {
    /// Counts a buffer; `has_meta` says whether it carries a `GazeMeta` at all.
    fn count(&mut self, faces: Option<usize>, has_meta: impl FnOnce() -> bool) -> Option<Loss> {
        if let Some(faces) = faces {
            (self.without, self.seen) = (0, true);
            let reached = faces >= MAX_FACES && !self.limit_told;
            self.limit_told |= reached;
            return reached.then_some(Loss::TooManyFaces);
        }
        self.without = self.without.saturating_add(1);
        if !self.told && (self.without == 1 || self.without == BUFFERS) {
            self.unreadable = has_meta();
        }
        if self.without < BUFFERS { None } else { self.tell() }
    }

    /// The stream ends.
    fn finish(&mut self) -> Option<Loss> {
        if self.seen || self.without == 0 { None } else { self.tell() }
    }

    fn tell(&mut self) -> Option<Loss> {
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        Some(match self.unreadable {
            true => Loss::Unreadable,
            false => Loss::Missing { buffers: self.without, seen: self.seen },
        })
    }
}

impl Loss {
    /// Posts a warning that names the likely causes. `verb` says what the element does with results.
    fn post(self, element: &gst::Element, verb: &str) {
        let text = self.text(element, verb);
        gst::element_warning!(element, gst::StreamError::Failed, ("{text}"));
    }

    fn text(self, element: &gst::Element, verb: &str) -> String {
        let (buffers, seen) = match self {
            Self::Missing { buffers, seen } => (buffers, seen),
            Self::Unreadable => {
                return format!(
                    "Buffers carry a GazeMeta without the fields width and height (int), which gives \
                     its boxes no meaning: nothing to {verb}. Let its writer set them"
                );
            }
            Self::TooManyFaces => {
                return format!(
                    "A frame has {MAX_FACES} faces or more: this element takes the first {MAX_FACES} \
                     of a frame. Let the detector keep fewer (gazeface max-faces)"
                );
            }
        };
        let upstream = Upstream::of(element);
        let what = match seen {
            true => format!("GazeMeta stopped coming: {buffers} buffers in a row have none"),
            false => format!("No buffer of {buffers} carries GazeMeta"),
        };
        match upstream.find("gazeinfer") {
            Some(gazeinfer) => format!(
                "{what}, so there is nothing to {verb}, although {} is upstream. An element in between \
                 drops metadata ({}): elements that flip, crop or mix pictures do (videoflip, videocrop, \
                 videobox, compositor). Put them before the detector, or this element before them",
                gazeinfer.name,
                gazeinfer.suspects()
            ),
            None => format!(
                "{what}, so there is nothing to {verb}. No gazeinfer is upstream in this pipeline: put \
                 gazeinfer before this element (... ! gazeface ! gazeinfer ! {})",
                element.factory().map(|factory| factory.name().to_string()).unwrap_or_default()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_buffers_in_a_row_are_told_once() {
        let mut lost = Count::default();
        let told = |lost: &mut Count, n| (0..n).filter_map(|_| lost.count(None, || false)).last();
        assert_eq!(told(&mut lost, 99), None);
        assert_eq!(told(&mut lost, 1), Some(Loss::Missing { buffers: 100, seen: false }));
        assert_eq!(told(&mut lost, 500), None);
        assert_eq!(lost.finish(), None);
        let mut lost = Count::default();
        lost.count(Some(0), || true);
        assert_eq!(told(&mut lost, 100), Some(Loss::Missing { buffers: 100, seen: true }));
    }

    #[test]
    fn a_frame_at_the_limit_is_told_once() {
        let mut lost = Count::default();
        assert_eq!(lost.count(Some(MAX_FACES - 1), || true), None);
        assert_eq!(lost.count(Some(MAX_FACES), || true), Some(Loss::TooManyFaces));
        assert_eq!(lost.count(Some(MAX_FACES), || true), None);
    }

    #[test]
    fn a_short_stream_is_told_at_its_end() {
        let mut lost = Count::default();
        assert_eq!(lost.finish(), None, "no buffer, no loss");
        lost.count(None, || false);
        assert_eq!(lost.finish(), Some(Loss::Missing { buffers: 1, seen: false }));
        assert_eq!(lost.finish(), None);
        let mut lost = Count::default();
        lost.count(Some(0), || true);
        lost.count(None, || false);
        assert_eq!(lost.finish(), None, "a few gaps are no loss");
    }
}
