//! The payload that gazeinfer attaches to each object: a plain structure without pointers, laid out in
//! `include/gazemeta.h` for C, and readable by Python through `ctypes`.

use super::abi::layout;

/// What `nvds_get_user_meta_type` is asked for.
pub const TYPE_NAME: &std::ffi::CStr = c"GAZEINFER.GAZE.OBJ_META";

/// `GAZE_OBJ_META_MAGIC`: "GAZE" in memory.
pub const MAGIC: u32 = u32::from_le_bytes(*b"GAZE");

/// `GAZE_OBJ_META_VERSION`. Grows when a field changes its meaning or its place; new fields take
/// reserved ones and do not change it.
pub const VERSION: u32 = 1;

/// `GAZE_HAS_GAZE`: pitch, yaw and direction are there.
pub const HAS_GAZE: u32 = 1;
/// `GAZE_HAS_CONFIDENCE`.
pub const HAS_CONFIDENCE: u32 = 2;
/// `GAZE_HAS_HEAD`: the head's angles are there.
pub const HAS_HEAD: u32 = 4;
/// `GAZE_HAS_ORIGIN`: the place that the gaze starts from is there.
pub const HAS_ORIGIN: u32 = 8;

/// `GazeObjMeta`: where one object looks. What its flag does not announce is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GazeObjMeta {
    /// [`MAGIC`].
    pub magic: u32,
    /// [`VERSION`].
    pub version: u32,
    /// Bytes of this structure.
    pub size: u32,
    /// The element that estimated it: its property `unique-id`.
    pub unique_id: u32,
    /// The object's own id; all bits set without a tracker.
    pub object_id: u64,
    /// Nanoseconds from the frame's pixels to its last angle; 0 where nothing was inferred.
    pub inference_time: u64,
    /// The frame's source.
    pub source_id: u32,
    /// `GAZE_HAS_...`.
    pub flags: u32,
    /// Frames since this object was last inferred; 0 is now.
    pub age: u32,
    /// Radians, positive is up.
    pub pitch: f32,
    /// Radians, positive is towards the image's left.
    pub yaw: f32,
    /// 0..=1.
    pub confidence: f32,
    /// The same as a unit vector in camera coordinates.
    pub direction: [f32; 3],
    /// Pitch, yaw and roll of the head, radians.
    pub head: [f32; 3],
    /// Millimetres, camera coordinates.
    pub origin: [f32; 3],
    /// Left, top, width and height of the box that was looked at, pixels of the surface.
    pub rect: [f32; 4],
    /// 0.
    pub reserved: [u32; 5],
}
layout!(GazeObjMeta, 128, magic: 0, version: 4, size: 8, unique_id: 12, object_id: 16,
    inference_time: 24, source_id: 32, flags: 36, age: 40, pitch: 44, yaw: 48, confidence: 52,
    direction: 56, head: 68, origin: 80, rect: 92, reserved: 108);

impl GazeObjMeta {
    /// An empty one, with the fields that say what it is.
    pub fn new() -> Self {
        Self { magic: MAGIC, version: VERSION, size: size_of::<Self>() as u32, ..Self::default() }
    }
}
