//! DeepStream's metadata (`nvdsmeta.h`, `nvll_osd_struct.h`): batch, frames, objects.
//!
//! The named fields are the same from DeepStream 5.0 to 9.1. Structures differ behind them, so this
//! crate never makes or copies one whole.

use std::ffi::{c_char, c_void};

use super::layout;
use super::osd::DisplayMetaHead;

/// GLib's doubly linked list.
#[repr(C)]
pub struct List {
    pub data: *mut c_void,
    pub next: *mut List,
    pub prev: *mut List,
}
layout!(List, 24, data: 0, next: 8, prev: 16);

/// `NvDsMetaCopyFunc`: gets the `NvDsUserMeta`, returns a new payload.
pub type CopyFunc =
    Option<unsafe extern "C" fn(data: *mut c_void, user: *mut c_void) -> *mut c_void>;
/// `NvDsMetaReleaseFunc`: gets the `NvDsUserMeta`, frees its payload.
pub type ReleaseFunc = Option<unsafe extern "C" fn(data: *mut c_void, user: *mut c_void)>;

/// `NvDsBaseMeta`.
#[repr(C)]
pub struct BaseMeta {
    pub batch_meta: *mut BatchMeta,
    pub meta_type: i32,
    pub user_context: *mut c_void,
    pub copy_func: CopyFunc,
    pub release_func: ReleaseFunc,
}
layout!(BaseMeta, 40, batch_meta: 0, meta_type: 8, user_context: 16, copy_func: 24,
    release_func: 32);

/// `NvDsMetaPool`.
#[repr(C)]
pub struct MetaPool {
    pub meta_type: i32,
    pub max_elements: u32,
    /// Bytes of one element: tells which version made it.
    pub element_size: u32,
    num_empty: u32,
    num_full: u32,
    empty_list: *mut List,
    full_list: *mut List,
    copy_func: CopyFunc,
    release_func: ReleaseFunc,
}
layout!(MetaPool, 56, meta_type: 0, max_elements: 4, element_size: 8, num_empty: 12, num_full: 16,
    empty_list: 24, full_list: 32, copy_func: 40, release_func: 48);

/// `NvDsUserMeta`.
#[repr(C)]
pub struct UserMeta {
    pub base: BaseMeta,
    pub user_meta_data: *mut c_void,
}
layout!(UserMeta, 48, base: 0, user_meta_data: 40);

/// `NvDsBatchMeta`, up to its lists.
#[repr(C)]
pub struct BatchMeta {
    pub base: BaseMeta,
    pub max_frames_in_batch: u32,
    pub num_frames_in_batch: u32,
    frame_meta_pool: *mut MetaPool,
    obj_meta_pool: *mut MetaPool,
    classifier_meta_pool: *mut MetaPool,
    pub display_meta_pool: *mut MetaPool,
    user_meta_pool: *mut MetaPool,
    label_info_meta_pool: *mut MetaPool,
    pub frame_meta_list: *mut List,
    batch_user_meta_list: *mut List,
    rest: [u64; 10],
}
layout!(BatchMeta, 192, base: 0, max_frames_in_batch: 40, num_frames_in_batch: 44,
    frame_meta_pool: 48, display_meta_pool: 72, frame_meta_list: 96, batch_user_meta_list: 104,
    rest: 112);

/// `NvDsFrameMeta` up to its lists; 192 to 232 bytes as a whole.
#[repr(C)]
pub struct FrameMetaHead {
    pub base: BaseMeta,
    pub pad_index: u32,
    /// The frame's place in the batch of surfaces.
    pub batch_id: u32,
    pub frame_num: i32,
    pub buf_pts: u64,
    pub ntp_timestamp: u64,
    pub source_id: u32,
    pub num_surfaces_per_frame: i32,
    pub source_frame_width: u32,
    pub source_frame_height: u32,
    pub surface_type: u32,
    pub surface_index: u32,
    pub num_obj_meta: u32,
    /// A gboolean: whether a detector ran on this frame.
    pub infer_done: i32,
    pub obj_meta_list: *mut List,
    pub display_meta_list: *mut List,
    pub frame_user_meta_list: *mut List,
}
layout!(FrameMetaHead, 128, base: 0, pad_index: 40, batch_id: 44, frame_num: 48, buf_pts: 56,
    ntp_timestamp: 64, source_id: 72, num_surfaces_per_frame: 76, source_frame_width: 80,
    source_frame_height: 84, surface_type: 88, surface_index: 92, num_obj_meta: 96,
    infer_done: 100, obj_meta_list: 104, display_meta_list: 112, frame_user_meta_list: 120);

/// `NvDsObjectMeta` up to its box; 544 or 552 bytes as a whole.
#[repr(C)]
pub struct ObjectMetaHead {
    pub base: BaseMeta,
    pub parent: *mut c_void,
    /// The component that found it (`gie-unique-id`).
    pub unique_component_id: i32,
    pub class_id: i32,
    /// The tracker's id; [`UNTRACKED`] without a tracker.
    pub object_id: u64,
    detector_bbox: [f32; 4],
    tracker_bbox: [f32; 4],
    pub confidence: f32,
    pub tracker_confidence: f32,
    /// `rect_params`, of which only the box is named: left, top, width, height.
    pub rect: [f32; 4],
}
layout!(ObjectMetaHead, 120, base: 0, parent: 40, unique_component_id: 48, class_id: 52,
    object_id: 56, detector_bbox: 64, tracker_bbox: 80, confidence: 96, tracker_confidence: 100,
    rect: 104);

/// `UNTRACKED_OBJECT_ID`.
pub const UNTRACKED: u64 = u64::MAX;

pub type GetBatchMetaFn = unsafe extern "C" fn(buffer: *mut c_void) -> *mut BatchMeta;
pub type AcquireUserMetaFn = unsafe extern "C" fn(*mut BatchMeta) -> *mut UserMeta;
pub type AddUserMetaFn = unsafe extern "C" fn(*mut ObjectMetaHead, *mut UserMeta);
pub type UserMetaTypeFn = unsafe extern "C" fn(*const c_char) -> i32;
/// `nvds_acquire_meta_lock` and `nvds_release_meta_lock`.
pub type LockFn = unsafe extern "C" fn(*mut BatchMeta);
pub type AcquireDisplayMetaFn = unsafe extern "C" fn(*mut BatchMeta) -> *mut DisplayMetaHead;
pub type AddDisplayMetaFn = unsafe extern "C" fn(*mut FrameMetaHead, *mut DisplayMetaHead);
pub type VersionFn = unsafe extern "C" fn(major: *mut u32, minor: *mut u32);
