//! Whether an element stands in a live pipeline.

use gst_base::prelude::*;
use parking_lot::Mutex;

/// Whether the pipeline is live: its frames come when a camera takes them, and a late one cannot wait.
/// The sources say so in their answer to the LATENCY query, which goes upstream once.
#[derive(Debug, Default)]
pub struct Liveness(Mutex<Option<bool>>);

impl Liveness {
    /// Forgets the answer: a new stream, or a new distribution of the latency.
    pub fn forget(&self) {
        *self.0.lock() = None;
    }

    /// Asks upstream of `element`, unless an answer is known. A pipeline that does not answer is not
    /// live.
    pub fn of(&self, element: &impl IsA<gst_base::BaseTransform>) -> bool {
        if let Some(live) = *self.0.lock() {
            return live;
        }
        let mut query = gst::query::Latency::new();
        // Without the lock: the query goes through other elements.
        let live = element.as_ref().sink_pad().peer_query(&mut query) && query.result().0;
        *self.0.lock() = Some(live);
        live
    }
}
