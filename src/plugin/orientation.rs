//! Pictures that should be turned and are not: the tag `image-orientation` of phones.
//!
//! `videoflip video-direction=auto` turns the pictures as the tag says. Some versions rewrite the tag to
//! `rotate-0`; others, 1.22.0 among them, pass it on. So the tag alone does not tell whether a picture is
//! upright, and the element looks upstream for one that turns pictures.

use gst::prelude::*;
use gst_video::VideoOrientationMethod;
use parking_lot::Mutex;

use super::upstream;

/// The properties with which elements turn pictures; 0 is as they come. videoflip, glvideoflip,
/// vapostproc and others of the interface GstVideoDirection have the first, NVIDIA's converters the
/// second.
const DIRECTIONS: [&str; 2] = ["video-direction", "flip-method"];

/// Follows the orientation of a stream by its tags.
#[derive(Default)]
pub struct Orientation(Mutex<State>);

#[derive(Default)]
struct State {
    stream_id: Option<glib::GString>,
    /// Of the stream's tags; they come before the global ones, as in videoflip.
    stream: Option<Turn>,
    global: Option<Turn>,
    /// Whether the tags changed since the last look.
    changed: bool,
    warned: bool,
}

/// A tag that asks for a turn.
#[derive(Clone, PartialEq)]
struct Turn {
    method: VideoOrientationMethod,
    name: String,
}

impl Orientation {
    /// Forgets tags and warnings.
    pub fn reset(&self) {
        *self.0.lock() = State::default();
    }

    /// Takes an event from upstream.
    pub fn take_event(&self, event: &gst::EventRef) {
        match event.view() {
            gst::EventView::StreamStart(start) => {
                let mut state = self.0.lock();
                let id = Some(start.stream_id().into());
                if state.stream_id != id {
                    *state = State { stream_id: id, warned: state.warned, ..State::default() };
                }
            }
            gst::EventView::Tag(tag) => {
                let tags = tag.tag();
                let turn = turn_of(tags);
                let mut state = self.0.lock();
                match tags.scope() {
                    gst::TagScope::Global => state.global = turn,
                    _ => state.stream = turn,
                }
                state.changed = true;
            }
            _ => {}
        }
    }

    /// Returns, once until the next reset, the tag of a stream whose pictures no element upstream turned.
    pub fn take_unturned(&self, element: &impl IsA<gst::Element>) -> Option<String> {
        let name = {
            let mut state = self.0.lock();
            if state.warned || !std::mem::take(&mut state.changed) {
                return None;
            }
            let turn = state.stream.as_ref().or(state.global.as_ref());
            turn.filter(|turn| turn.method != VideoOrientationMethod::Identity)?.name.clone()
        };
        if is_turned_upstream(element.as_ref()) {
            return None;
        }
        self.0.lock().warned = true;
        Some(name)
    }
}

/// Warns that pictures should be turned as this tag says, before the element `first`.
pub fn warn(element: &impl IsA<gst::Element>, tag: &str, first: &str) {
    let text = format!(
        "The stream has the tag image-orientation={tag}, and no element upstream turns its pictures: faces \
         are missed, and angles are those of turned heads. Put videoflip video-direction=auto before \
         {first} (nvvideoconvert flip-method=... for NVIDIA's memory)"
    );
    gst::element_warning!(element.as_ref(), gst::StreamError::Format, ("{text}"));
}

fn turn_of(tags: &gst::TagListRef) -> Option<Turn> {
    let method = VideoOrientationMethod::from_tag(tags)?;
    let name = tags.get::<gst::tags::ImageOrientation>()?.get().to_owned();
    Some(Turn { method, name })
}

/// Whether an element upstream turns pictures.
fn is_turned_upstream(element: &gst::Element) -> bool {
    let mut turned = false;
    upstream::visit(element, |upstream| turned |= turns(upstream));
    turned
}

fn turns(element: &gst::Element) -> bool {
    DIRECTIONS.iter().any(|name| {
        let known = element.find_property(name).is_some();
        let value = known.then(|| element.property_value(name));
        let way = value.and_then(|value| value.transform::<i32>().ok()?.get::<i32>().ok());
        way.is_some_and(|way| way != 0)
    })
}
