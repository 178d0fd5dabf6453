//! The elements upstream of an element: whether a detector runs there, and what stands in between.
//!
//! Metadata alone cannot tell a frame without a face from one that no detector looked at, nor results
//! that were lost from results that never were. The pipeline can. The walk follows the pads' links, out
//! of bins and into them; it takes no lock but those of GStreamer's objects, one at a time.

use gst::prelude::*;

/// The most elements that are looked at: a pipeline of any use is shorter.
const MAX_ELEMENTS: usize = 256;

/// Elements that find faces or other objects, by factory. Those of other names count by their class,
/// "Analyzer" or "Detector".
const DETECTORS: [&str; 26] = [
    "gazeface",
    "nvinfer",
    "nvinferserver",
    "nvinferbin",
    "nvtracker",
    "gvadetect",
    "gvainference",
    "gvatrack",
    "gvapython",
    "object_detect",
    "onnxinference",
    "onnxobjectdetector",
    "ssdobjectdetector",
    "ssdtensordec",
    "yolotensordecoder",
    "facedetectortensordecoder",
    "ioutracker",
    "tfliteinference",
    "facedetect",
    "handdetect",
    "qtimlvdetection",
    "qtimlpostprocess",
    "qtimetamux",
    "hailofilter",
    "hailotracker",
    "tensor_decoder",
];

/// Analyzers that find no faces.
const NO_DETECTORS: [&str; 6] =
    ["gazeinfer", "gazemonitor", "videoanalyse", "iqa", "vmaf", "spectrum"];

/// Elements through which a program feeds or changes buffers, so that anything may be on them.
const FED_BY_PROGRAMS: [&str; 12] = [
    "appsrc",
    "identity",
    "proxysrc",
    "intervideosrc",
    "interpipesrc",
    "shmsrc",
    "unixfdsrc",
    "nvunixfdsrc",
    "nvdsudpsrc",
    "giosrc",
    "giostreamsrc",
    "fdsrc",
];

/// Packages of GStreamer itself; their elements attach no regions except those named above.
const STOCK: [&str; 8] = [
    "gstreamer",
    "gst-plugins-base",
    "gst-plugins-good",
    "gst-plugins-bad",
    "gst-plugins-ugly",
    "gst-libav",
    "gst-rtsp-server",
    "gstreamer-vaapi",
];

/// Elements that drop metadata with places, unless they pass frames unchanged.
const DROPPERS: [&str; 12] = [
    "videoflip",
    "autovideoflip",
    "videocrop",
    "aspectratiocrop",
    "videobox",
    "compositor",
    "glvideomixer",
    "vacompositor",
    "videomixer",
    "vapostproc",
    "vaapipostproc",
    "nvvideoconvert",
];

/// What can be said of the elements upstream.
#[derive(Clone, Debug, Default)]
pub struct Upstream {
    /// From near to far.
    elements: Vec<UpstreamElement>,
    /// Whether a program feeds the chain, or a part of it is unknown.
    open_ended: bool,
}

#[derive(Clone, Debug)]
struct UpstreamElement {
    name: String,
    factory: String,
    is_detector: bool,
}

/// An element that was found upstream.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Its name.
    pub name: &'a str,
    between: &'a [UpstreamElement],
}

impl Upstream {
    /// What can be said of the elements upstream of `element`.
    pub fn of(element: &gst::Element) -> Self {
        let mut this = Self::default();
        let complete = visit(element, |upstream| this.add(upstream));
        this.open_ended |= !complete;
        this
    }

    fn add(&mut self, element: &gst::Element) {
        let factory = element.factory();
        let name = factory.as_ref().map(|factory| factory.name().to_string()).unwrap_or_default();
        let class = element.metadata("klass").unwrap_or_default();
        let is_detector = DETECTORS.contains(&name.as_str())
            || ((class.contains("Analyzer") || class.contains("Detector"))
                && class.contains("Video")
                && !NO_DETECTORS.contains(&name.as_str()));
        let package = factory.as_ref().and_then(|factory| factory.plugin());
        let stock = package.is_some_and(|plugin| STOCK.contains(&plugin.source().as_str()));
        let plain = stock
            || name.starts_with("gaze")
            || ["Source", "Codec", "Converter"].iter().any(|kind| class.contains(kind));
        self.open_ended |= !plain || FED_BY_PROGRAMS.contains(&name.as_str());
        self.elements.push(UpstreamElement {
            name: element.name().to_string(),
            factory: name,
            is_detector,
        });
    }

    /// The nearest element of this factory.
    pub fn find(&self, factory: &str) -> Option<Found<'_>> {
        self.nearest(|element| element.factory == factory)
    }

    /// The nearest detector.
    pub fn detector(&self) -> Option<Found<'_>> {
        self.nearest(|element| element.is_detector)
    }

    fn nearest(&self, wanted: impl Fn(&UpstreamElement) -> bool) -> Option<Found<'_>> {
        let at = self.elements.iter().position(wanted)?;
        Some(Found { name: &self.elements[at].name, between: &self.elements[..at] })
    }

    /// Whether every element is known, none is a detector, and no program feeds them.
    pub fn has_no_detector(&self) -> bool {
        !self.open_ended && self.detector().is_none()
    }
}

impl Found<'_> {
    /// Which elements in between may drop metadata, as words for a message: those that are known to,
    /// otherwise all; the usual ones if none stands there.
    pub fn suspects(&self) -> String {
        let droppers =
            self.between.iter().filter(|element| DROPPERS.contains(&element.factory.as_str()));
        let names = |mut elements: Vec<&str>| {
            elements.truncate(8);
            elements.join(", ")
        };
        let known: Vec<&str> = droppers.map(|element| element.name.as_str()).collect();
        let all: Vec<&str> = self.between.iter().map(|element| element.name.as_str()).collect();
        match (known.is_empty(), all.is_empty()) {
            (false, _) => names(known),
            (true, false) => names(all),
            (true, true) => "a pad probe".to_owned(),
        }
    }
}

/// Visits the elements upstream of `element`, from near to far. Returns whether they were all.
pub fn visit(element: &gst::Element, mut visitor: impl FnMut(&gst::Element)) -> bool {
    let mut seen = vec![element.clone()];
    let mut next = 0;
    let mut complete = true;
    while let Some(element) = seen.get(next).cloned() {
        next += 1;
        for pad in element.sink_pads() {
            match source_of(&pad) {
                Some(upstream) if seen.contains(&upstream) => {}
                Some(upstream) if seen.len() < MAX_ELEMENTS => {
                    visitor(&upstream);
                    seen.push(upstream);
                }
                Some(_) => complete = false,
                // Not linked, or a pad without an element, as in a test harness.
                None => {}
            }
        }
    }
    complete
}

/// The element whose source pad feeds a sink pad, out of bins and into them.
fn source_of(pad: &gst::Pad) -> Option<gst::Element> {
    let mut peer = pad.peer()?;
    for _ in 0..MAX_ELEMENTS {
        if let Some(ghost) = peer.downcast_ref::<gst::GhostPad>() {
            // The source pad of a bin.
            peer = ghost.target()?;
            continue;
        }
        match peer.parent()?.downcast::<gst::GhostPad>() {
            // The inner side of a bin's sink pad.
            Ok(ghost) => peer = ghost.peer()?,
            Err(parent) => return parent.downcast::<gst::Element>().ok(),
        }
    }
    None
}
