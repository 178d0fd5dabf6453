//! The families of face detectors: their inputs, and the decoders of their outputs.

use super::detection::Detection;
use super::{blazeface, retinaface, scrfd, ultraface, yolo, yunet};
use crate::core::geometry::rect::Size;
use crate::core::image::spec::{Aspect, Channels, ImageSpec, Layout};

/// A family of face detectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DetectorKind {
    /// YuNet of libfacedetection, and OpenCV's zoo from 2023mar on.
    YuNet,
    /// SCRFD of InsightFace, with points or without.
    Scrfd,
    /// UltraFace, RFB or slim.
    UltraFace,
    /// RetinaFace with the backbone MobileNet-0.25.
    RetinaFace,
    /// BlazeFace, front (128 pixels) or back (256 pixels).
    BlazeFace,
    /// YOLOv5-face.
    YoloV5Face,
    /// YOLOv8-face and its successors, with points or without.
    YoloV8Face,
    /// The same with the suppression inside, and points.
    YoloV8FaceSuppressed,
    /// The same with the suppression inside, and no points.
    YoloV8BoxSuppressed,
}

impl DetectorKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::YuNet,
        Self::Scrfd,
        Self::UltraFace,
        Self::RetinaFace,
        Self::BlazeFace,
        Self::YoloV5Face,
        Self::YoloV8Face,
        Self::YoloV8FaceSuppressed,
        Self::YoloV8BoxSuppressed,
    ];

    /// Its name, for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::YuNet => "YuNet",
            Self::Scrfd => "SCRFD",
            Self::UltraFace => "UltraFace",
            Self::RetinaFace => "RetinaFace",
            Self::BlazeFace => "BlazeFace",
            Self::YoloV5Face => "YOLOv5-face",
            Self::YoloV8Face => "YOLOv8-face",
            Self::YoloV8FaceSuppressed | Self::YoloV8BoxSuppressed => {
                "YOLOv8-face with the suppression inside"
            }
        }
    }

    /// Its inputs and outputs, for messages.
    pub(super) const fn signature(self) -> &'static str {
        match self {
            Self::YuNet => {
                "YuNet ([1,3,h,w] in; for strides 8, 16 and 32: [1,n,1] twice, [1,n,4], [1,n,10])"
            }
            Self::Scrfd => {
                "SCRFD ([1,3,h,w] in; for strides 8, 16 and 32: [1,n,1], [1,n,4], and maybe [1,n,10])"
            }
            Self::UltraFace => "UltraFace ([1,3,240,320] in; [1,4420,2], [1,4420,4])",
            Self::RetinaFace => {
                "RetinaFace ([1,3,640,640] in; [1,16800,4], [1,16800,2], [1,16800,10])"
            }
            Self::BlazeFace => {
                "BlazeFace ([1,256,256,3] in; [1,512,1], [1,384,1], [1,512,16], [1,384,16])"
            }
            Self::YoloV5Face => "YOLOv5-face ([1,3,640,640] in; [1,25200,16])",
            Self::YoloV8Face => "YOLOv8-face ([1,3,640,640] in; [1,20,8400] or [1,5,8400])",
            Self::YoloV8FaceSuppressed => "YOLOv8-face with the suppression inside ([1,n,21])",
            Self::YoloV8BoxSuppressed => "the same without points ([1,n,6])",
        }
    }

    /// The specification of an input of `size`, with the values of the publishers' own code.
    pub fn image(self, size: Size) -> ImageSpec {
        let common = ImageSpec { width: size.width, height: size.height, ..ImageSpec::default() };
        match self {
            Self::YuNet => {
                ImageSpec { channels: Channels::Bgr, aspect: Aspect::LetterboxTopLeft, ..common }
            }
            Self::Scrfd => ImageSpec {
                mean: [127.5; 3],
                std: [128.0; 3],
                aspect: Aspect::LetterboxTopLeft,
                ..common
            },
            Self::UltraFace => ImageSpec { mean: [127.0; 3], std: [128.0; 3], ..common },
            Self::RetinaFace => ImageSpec {
                channels: Channels::Bgr,
                mean: [104.0, 117.0, 123.0],
                aspect: Aspect::LetterboxTopLeft,
                ..common
            },
            Self::BlazeFace => ImageSpec {
                layout: Layout::Nhwc,
                mean: [127.5; 3],
                std: [127.5; 3],
                aspect: Aspect::Letterbox,
                ..common
            },
            // `letterbox` of YOLOv5 and Ultralytics pads with this grey.
            Self::YoloV5Face
            | Self::YoloV8Face
            | Self::YoloV8FaceSuppressed
            | Self::YoloV8BoxSuppressed => {
                ImageSpec { scale: 1.0 / 255.0, aspect: Aspect::Letterbox, fill: 114, ..common }
            }
        }
    }

    /// Appends every box whose score is above `threshold`, in pixels of the input. `outputs` are in
    /// the order of [`DetectorMatch::outputs`](super::recognise::DetectorMatch::outputs); missing rows give
    /// no box.
    ///
    /// # Panics
    /// Panics if there are fewer outputs than the family has.
    pub fn decode(self, outputs: &[&[f32]], size: Size, threshold: f32, out: &mut Vec<Detection>) {
        let found = |detection| out.push(detection);
        match self {
            Self::YuNet => yunet::decode(outputs, size, threshold, found),
            Self::Scrfd => scrfd::decode(outputs, size, threshold, found),
            Self::UltraFace => ultraface::decode(outputs, size, threshold, found),
            Self::RetinaFace => retinaface::decode(outputs, size, threshold, found),
            Self::BlazeFace => blazeface::decode(outputs, size, threshold, found),
            Self::YoloV5Face => yolo::decode_v5(outputs[0], threshold, found),
            Self::YoloV8Face => yolo::decode_v8(outputs[0], yolo::cells(size), threshold, found),
            Self::YoloV8FaceSuppressed | Self::YoloV8BoxSuppressed => {
                let values =
                    yolo::SUPPRESSED_VALUES[usize::from(self == Self::YoloV8BoxSuppressed)];
                yolo::decode_suppressed(outputs[0], values, threshold, found);
            }
        }
    }
}
