//! `gazeinfer` on NVIDIA's memory: it processes the frames of a batch, takes DeepStream's objects as
//! faces, and attaches the gaze to them.

use crate::core::draw::{Style, gaze_arrow};
use crate::core::face::FaceRegion;
use crate::core::gaze::GazeEstimate;
use crate::core::geometry::{Point, Raster, Size};
use crate::nvidia::nvds::{Arrow, FrameInfo, NvdsBatch, ObjectInfo};
use crate::nvidia::payload::{GazeObjMeta, HAS_CONFIDENCE, HAS_GAZE, HAS_HEAD, HAS_ORIGIN};
use crate::nvidia::surface::Staging;
use crate::plugin::frame::MapError;
use crate::plugin::meta::gaze;
use crate::plugin::meta::input_region::{InputRegion, MetaHandle};
use crate::plugin::nvidia_buffer::{self, NvmmBuffer, NvmmCaps};
use crate::plugin::picture::Reuse;
use crate::plugin::pixels::Pixels;

use super::settings::FrameSettings;
use super::stream::{FrameContext, ProcessError, Processed, Stream};

/// Width of an arrow in pixels, as NVIDIA's own gaze sample draws it.
const ARROW_WIDTH: u32 = 3;

/// Memory that batches reuse.
#[derive(Default)]
pub(super) struct BatchMemory {
    staging: Staging,
    frames: Vec<FrameInfo>,
    objects: Vec<ObjectInfo>,
    payloads: Vec<(usize, GazeObjMeta)>,
    arrows: Vec<Arrow>,
    /// Whether arrows are on but DeepStream's version is unknown, so that there are none.
    pub arrows_refused: bool,
}

impl Stream {
    /// Processes each frame of a batch. A broken frame does not cost the others their gaze: the first
    /// fault is returned beside their results, or alone if there are none.
    pub(super) fn process_batch(
        &mut self,
        buffer: &mut gst::BufferRef,
        caps: NvmmCaps,
        settings: &FrameSettings,
        running_time: Option<gst::ClockTime>,
        reuse: Reuse,
    ) -> Result<Processed, ProcessError> {
        let mut scratch = std::mem::take(&mut self.batch);
        let processed =
            self.process_surfaces(buffer, caps, settings, (running_time, reuse), &mut scratch);
        self.batch = scratch;
        let mut processed = processed?;
        let (told, replaced) =
            (self.replacement_told(), &mut processed.notices.regions.replaced_model);
        gaze::replace_batch(buffer, self.results(), |model| {
            if !told {
                let own = self.results().first().map(|result| result.model.clone());
                *replaced = Some([model.to_owned(), own.unwrap_or_default()]);
            }
        })?;
        // Only a batch of one frame has regions on the buffer itself.
        self.annotate(buffer);
        match processed.fault {
            Some(fault) if self.results().is_empty() => Err(fault.into()),
            fault => Ok(Processed { fault, ..processed }),
        }
    }

    fn process_surfaces(
        &mut self,
        buffer: &gst::BufferRef,
        caps: NvmmCaps,
        settings: &FrameSettings,
        (running_time, reuse): (Option<gst::ClockTime>, Reuse),
        scratch: &mut BatchMemory,
    ) -> Result<Processed, ProcessError> {
        let descriptor = NvmmBuffer::map(buffer, caps).map_err(MapError::from)?;
        let surfaces = descriptor.surfaces().map_err(MapError::from)?;
        let metadata = nvidia_buffer::batch_meta(buffer).map_err(MapError::from)?;
        scratch.frames.clear();
        match &metadata {
            Some(metadata) => metadata.read_frames(&mut scratch.frames),
            // Without DeepStream each surface is a source without metadata.
            None => scratch.frames.extend((0..surfaces.len() as u32).map(|slot| FrameInfo {
                batch_id: slot,
                source_id: slot,
                detected: false,
            })),
        }
        // Regions on the buffer belong to its only frame.
        let own = (surfaces.len() == 1).then_some(buffer);
        let pixel_aspect = self.pixel_aspect();
        let mut all = Processed::default();
        for position in 0..scratch.frames.len() {
            let info = scratch.frames[position];
            let frame = |size| FrameContext {
                source_id: info.source_id,
                raster: Raster { size, pixel_aspect },
                running_time,
                reuse,
            };
            let slot = info.batch_id as usize;
            let processed = match surfaces.size(slot) {
                Ok(size) => {
                    scratch.objects.clear();
                    if let Some(metadata) = &metadata {
                        metadata.read_objects(position, &mut scratch.objects);
                    }
                    self.collect_faces(own, &scratch.objects, info, size, settings);
                    let staging = &mut scratch.staging;
                    let pixels = Pixels::Surface { batch: &surfaces, slot, staging };
                    self.estimate(pixels, frame(size), settings, &mut all)
                }
                Err(error) => Err(ProcessError::Buffer(error.into())),
            };
            match processed {
                Ok(()) => {}
                Err(ProcessError::Buffer(error)) if !error.is_lasting() => {
                    all.fault.get_or_insert(error);
                    continue;
                }
                Err(fault) => return Err(fault),
            }
            if let Some(metadata) = &metadata {
                self.attach(metadata, position, settings, scratch);
            }
        }
        Ok(all)
    }

    /// Collects the faces of a frame: the regions of its own buffer (`own`) if a detector left some, or
    /// else the objects that count as faces by the settings.
    fn collect_faces(
        &mut self,
        own: Option<&gst::BufferRef>,
        objects: &[ObjectInfo],
        info: FrameInfo,
        size: Size,
        settings: &FrameSettings,
    ) {
        self.regions.clear();
        let mut detected = false;
        if settings.inference_region.uses_detections() {
            let class = &settings.object_class;
            detected =
                own.is_some_and(|buffer| self.reader.read(buffer, size, class, &mut self.regions));
            if !detected {
                detected = info.detected || !objects.is_empty();
                self.add_objects(objects, settings);
            }
        }
        self.choose_regions(detected, size, settings);
    }

    fn add_objects(&mut self, objects: &[ObjectInfo], settings: &FrameSettings) {
        let classes = &mut self.reader.classes;
        classes.begin(&settings.object_class);
        let wanted = objects.iter().enumerate().filter(|(_, object)| {
            let wanted = settings.deepstream.wants(object.component, object.class_id);
            if wanted {
                classes.matched();
            } else {
                classes.other_object(object.component, object.class_id);
            }
            wanted
        });
        self.regions.extend(wanted.map(|(position, object)| InputRegion {
            face: FaceRegion {
                rect: object.rect,
                confidence: object.confidence,
                track_id: object.object_id,
                ..FaceRegion::default()
            },
            meta: MetaHandle::Object { position },
        }));
    }

    /// Attaches the gaze of the last frame to its objects.
    fn attach(
        &self,
        metadata: &NvdsBatch<'_>,
        frame: usize,
        settings: &FrameSettings,
        scratch: &mut BatchMemory,
    ) {
        let Some(result) = self.results().last() else { return };
        scratch.payloads.clear();
        scratch.arrows.clear();
        for (region, estimate) in self.regions.iter().zip(&result.faces) {
            let MetaHandle::Object { position } = region.meta else { continue };
            let Some(mut payload) = payload(estimate) else { continue };
            payload.unique_id = settings.deepstream.unique_id;
            payload.source_id = result.source_id;
            payload.inference_time = result.inference_time;
            scratch.payloads.push((position, payload));
        }
        let objects = &scratch.objects;
        metadata.attach(
            frame,
            scratch.payloads.iter().map(|(position, gaze)| (*position, objects[*position], gaze)),
        );
        if settings.deepstream.display_arrows && !scratch.arrows_refused {
            scratch.arrows.extend(result.faces.iter().filter_map(|face| arrow(face, result.size)));
            scratch.arrows_refused = !metadata.draw(frame, &scratch.arrows);
        }
    }
}

/// Returns a face's gaze for DeepStream; `None` if it has none.
fn payload(estimate: &GazeEstimate) -> Option<GazeObjMeta> {
    let gaze = estimate.gaze.filter(|gaze| gaze.is_finite())?;
    let region = &estimate.region;
    let mut meta = GazeObjMeta::new();
    meta.flags = HAS_GAZE;
    meta.object_id = region.track_id.unwrap_or(u64::MAX);
    meta.age = estimate.age;
    (meta.pitch, meta.yaw, meta.direction) = (gaze.pitch, gaze.yaw, gaze.direction());
    meta.rect = [region.rect.x, region.rect.y, region.rect.width, region.rect.height];
    if let Some(confidence) = estimate.confidence {
        meta.flags |= HAS_CONFIDENCE;
        meta.confidence = confidence;
    }
    if let Some(head) = region.head_pose.filter(|head| head.is_finite()) {
        meta.flags |= HAS_HEAD;
        meta.head = [head.pitch, head.yaw, head.roll];
    }
    if let Some(origin) = estimate.origin {
        meta.flags |= HAS_ORIGIN;
        meta.origin = origin;
    }
    Some(meta)
}

/// Returns the arrow of a face, clamped to a frame of `size`: `nvdsosd` takes unsigned numbers, so one
/// below zero would end at the other side.
fn arrow(face: &GazeEstimate, size: Size) -> Option<Arrow> {
    let style = Style::default();
    let inside = |p: Point| {
        let clamp = |v: f32, extent: u32| v.round().clamp(0.0, (extent - 1) as f32) as u32;
        [clamp(p.x, size.width), clamp(p.y, size.height)]
    };
    let [from, to] = gaze_arrow(face, &style)?.map(inside);
    let color = style.arrow_color.rgba().map(|v| f64::from(v) / 255.0);
    Some(Arrow { from, to, width: ARROW_WIDTH, color })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::{Gaze, HeadPose, Rect};

    fn face(yaw: f32) -> GazeEstimate {
        let region = FaceRegion { rect: Rect::new(0.0, 0.0, 40.0, 40.0), ..Default::default() };
        GazeEstimate { region, gaze: Some(Gaze::new(0.0, yaw)), ..Default::default() }
    }

    #[test]
    fn arrows_stay_in_the_frame() {
        let size = Size::new(64, 48);
        let left = arrow(&face(1.5), size).unwrap();
        assert_eq!(left.to, [0, left.from[1]], "out to the left: cut, not wrapped");
        let right = arrow(&face(-1.5), size).unwrap();
        assert!(right.to[0] > right.from[0] && right.to[0] < 64);
        let none = GazeEstimate { gaze: None, ..face(0.0) };
        assert_eq!(arrow(&none, size), None);
    }

    #[test]
    fn flags_name_the_fields_that_are_set() {
        let mut estimate = face(0.5);
        assert_eq!(payload(&estimate).unwrap().flags, HAS_GAZE);
        estimate.confidence = Some(0.5);
        estimate.origin = Some([1.0, 2.0, 3.0]);
        estimate.region.head_pose = Some(HeadPose { pitch: 0.1, yaw: 0.2, roll: 0.3 });
        let meta = payload(&estimate).unwrap();
        assert_eq!(meta.flags, HAS_GAZE | HAS_CONFIDENCE | HAS_HEAD | HAS_ORIGIN);
        assert_eq!((meta.head, meta.origin), ([0.1, 0.2, 0.3], [1.0, 2.0, 3.0]));
        estimate.gaze = Some(Gaze::new(f32::NAN, 0.0));
        assert!(payload(&estimate).is_none());
    }
}
