//! DeepStream's metadata of a batch: frames and objects read, gaze and arrows attached.
//!
//! Only what is the same from DeepStream 5.0 to 9.1 is read, and structures are made by NVIDIA's own
//! functions alone. The lists are walked under the batch's lock; results are put back by position,
//! and only where the object there is still the one that was read.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::OnceLock;

use super::abi::meta::{BatchMeta, FrameMetaHead, List, ObjectMetaHead, UNTRACKED, UserMeta};
use super::abi::osd::{
    ArrowParams, ColorParams, DisplayMetaFrom9, DisplayMetaHead, DisplayMetaUpTo8, MAX_ELEMENTS,
};
use super::library::{LibraryError, MetaLibrary, deepstream_version};
use super::payload::{self, GazeObjMeta};
use crate::core::geometry::Rect;

/// Longest list that is walked: a broken one may have no end.
const MAX_LIST: usize = 65_536;

/// Widest arrow that `nvdsosd` draws (`MAX_BORDER_WIDTH`); a wider one is an error there.
pub const MAX_ARROW_WIDTH: u32 = 32;

/// One frame of a batch, as DeepStream describes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameInfo {
    /// Its surface: the place in the batch.
    pub batch_id: u32,
    /// Its source.
    pub source_id: u32,
    /// Whether a detector ran on it.
    pub detected: bool,
}

/// One object, as its detector and tracker describe it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectInfo {
    /// The component that found it (`gie-unique-id`).
    pub component: i32,
    /// Its class, by the component's own numbers.
    pub class_id: i32,
    /// The tracker's id; `None` without a tracker.
    pub object_id: Option<u64>,
    /// Its box, in pixels of the surface.
    pub rect: Rect,
    /// The detector's score; `None` where there is none (negative after a tracker's prediction).
    pub confidence: Option<f32>,
}

/// An arrow, drawn by `nvdsosd`; pixels of the surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrow {
    /// Where it starts.
    pub from: [u32; 2],
    /// Where its head is.
    pub to: [u32; 2],
    /// Pixels, at most [`MAX_ARROW_WIDTH`].
    pub width: u32,
    /// Red, green, blue and opacity, 0..=1.
    pub color: [f64; 4],
}

/// Which layout the display metadata has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DisplayLayout {
    UpTo8,
    From9,
}

/// The metadata of a batch.
pub struct NvdsBatch<'a> {
    raw: *mut BatchMeta,
    library: &'static MetaLibrary,
    life: PhantomData<&'a ()>,
}

impl<'a> NvdsBatch<'a> {
    /// The metadata of a buffer; `None` if it has none.
    ///
    /// # Errors
    /// [`LibraryError`]: DeepStream is missing.
    ///
    /// # Safety
    /// `buffer` is a buffer as DeepStream's elements pass it on (the argument of
    /// `gst_buffer_get_nvds_batch_meta`), and stays one as long as the result lives.
    pub(crate) unsafe fn of(buffer: *mut c_void) -> Result<Option<NvdsBatch<'a>>, LibraryError> {
        let library = MetaLibrary::get()?;
        // SAFETY: the caller vouches for the buffer.
        let raw = unsafe { (library.get_batch_meta)(buffer) };
        Ok((!raw.is_null()).then_some(Self { raw, library, life: PhantomData }))
    }

    /// Appends a description of each frame, in the order of the list.
    pub fn read_frames(&self, out: &mut Vec<FrameInfo>) {
        let _lock = Lock::new(self);
        out.extend(self.frames().map(|frame| {
            // SAFETY: a frame of the list, which the lock keeps as it is.
            let frame = unsafe { &*frame };
            FrameInfo {
                batch_id: frame.batch_id,
                source_id: frame.source_id,
                detected: frame.infer_done != 0,
            }
        }));
    }

    /// Appends a description of each object of one frame (by its position in the list).
    pub fn read_objects(&self, frame: usize, out: &mut Vec<ObjectInfo>) {
        let _lock = Lock::new(self);
        let Some(frame) = self.frames().nth(frame) else { return };
        // SAFETY: a frame of the list, which the lock keeps as it is.
        out.extend(unsafe { objects(frame) }.map(|object| unsafe { object_info(object) }));
    }

    /// Attaches each gaze to the object at that position, where it is still the one that was read.
    /// Returns how many were attached.
    pub fn attach<'g>(
        &self,
        frame: usize,
        gazes: impl IntoIterator<Item = (usize, ObjectInfo, &'g GazeObjMeta)>,
    ) -> usize {
        let meta_type = self.user_meta_type();
        let _lock = Lock::new(self);
        let Some(frame) = self.frames().nth(frame) else { return 0 };
        let mut attached = 0;
        for (position, expected, gaze) in gazes {
            // SAFETY: a frame of the list, which the lock keeps as it is.
            let Some(object) = (unsafe { objects(frame) }).nth(position) else { continue };
            // SAFETY: an object of that frame.
            if unsafe { object_info(object) } != expected {
                continue;
            }
            // SAFETY: the batch is valid; the pool gives a structure of its own version, of which
            // only the part is filled in that all versions share.
            unsafe {
                let user = (self.library.acquire_user_meta)(self.raw);
                if user.is_null() {
                    continue;
                }
                (*user).user_meta_data = Box::into_raw(Box::new(*gaze)).cast();
                (*user).base.batch_meta = self.raw;
                (*user).base.meta_type = meta_type;
                (*user).base.copy_func = Some(copy_gaze);
                (*user).base.release_func = Some(release_gaze);
                (self.library.add_user_meta_to_obj)(object, user);
            }
            attached += 1;
        }
        attached
    }

    /// Gives `nvdsosd` arrows to draw on one frame. Returns `false` where the version of the
    /// metadata is not known, and nothing was added.
    pub fn draw(&self, frame: usize, arrows: &[Arrow]) -> bool {
        let _lock = Lock::new(self);
        let Some(layout) = self.display_layout() else { return false };
        let Some(frame) = self.frames().nth(frame) else { return true };
        for chunk in arrows.chunks(MAX_ELEMENTS) {
            // SAFETY: the batch is valid, and the pool's elements have this layout.
            unsafe {
                let display = (self.library.acquire_display_meta)(self.raw);
                if display.is_null() {
                    return true;
                }
                let first = first_arrow(display, layout);
                for (index, arrow) in chunk.iter().enumerate() {
                    first.add(index).write(arrow_params(arrow));
                }
                // What the pool's element counted before is not ours to draw.
                ((*display).num_rects, (*display).num_labels) = (0, 0);
                ((*display).num_lines, (*display).num_circles) = (0, 0);
                (*display).num_arrows = chunk.len() as u32;
                (self.library.add_display_meta_to_frame)(frame, display);
            }
        }
        true
    }

    /// The process's own number of our type; it depends on what was registered before.
    fn user_meta_type(&self) -> i32 {
        static TYPE: OnceLock<i32> = OnceLock::new();
        // SAFETY: the name is a string that ends; it is not kept.
        *TYPE.get_or_init(|| unsafe { (self.library.user_meta_type)(payload::TYPE_NAME.as_ptr()) })
    }

    fn display_layout(&self) -> Option<DisplayLayout> {
        // SAFETY: the batch and its pools are valid.
        let size = unsafe {
            (*self.raw).display_meta_pool.as_ref().map_or(0, |pool| pool.element_size as usize)
        };
        if size == size_of::<DisplayMetaUpTo8>() {
            return Some(DisplayLayout::UpTo8);
        }
        if size == size_of::<DisplayMetaFrom9>() {
            return Some(DisplayLayout::From9);
        }
        match deepstream_version()? {
            (5..=8, _) => Some(DisplayLayout::UpTo8),
            (9, 0 | 1) => Some(DisplayLayout::From9),
            _ => None,
        }
    }

    /// The frames of the list; to be walked under the lock.
    fn frames(&self) -> impl Iterator<Item = *mut FrameMetaHead> {
        // SAFETY: the batch is valid.
        let list = unsafe { (*self.raw).frame_meta_list };
        // SAFETY: the list's elements are frames, and the lock keeps it as it is.
        unsafe { elements(list) }
    }
}

/// The batch's lock, held.
struct Lock<'a>(&'a NvdsBatch<'a>);

impl<'a> Lock<'a> {
    fn new(batch: &'a NvdsBatch<'_>) -> Self {
        // SAFETY: the batch is valid; the lock is recursive.
        unsafe { (batch.library.acquire_lock)(batch.raw) };
        Self(batch)
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        // SAFETY: taken in `new`.
        unsafe { (self.0.library.release_lock)(self.0.raw) };
    }
}

/// The elements of a list that are there.
///
/// # Safety
/// `list` is null or a valid list of `T`, and stays it while the iterator lives.
unsafe fn elements<T>(mut list: *mut List) -> impl Iterator<Item = *mut T> {
    std::iter::from_fn(move || {
        while !list.is_null() {
            // SAFETY: the caller vouches for the list.
            let (data, next) = unsafe { ((*list).data, (*list).next) };
            list = next;
            if !data.is_null() {
                return Some(data.cast());
            }
        }
        None
    })
    .take(MAX_LIST)
}

/// # Safety
/// `frame` is valid, and its list stays as it is while the iterator lives.
unsafe fn objects(frame: *mut FrameMetaHead) -> impl Iterator<Item = *mut ObjectMetaHead> {
    // SAFETY: the caller vouches for the frame and its list.
    unsafe { elements((*frame).obj_meta_list) }
}

/// # Safety
/// `object` is valid.
unsafe fn object_info(object: *mut ObjectMetaHead) -> ObjectInfo {
    // SAFETY: the caller vouches for it.
    let object = unsafe { &*object };
    let [x, y, width, height] = object.rect;
    ObjectInfo {
        component: object.unique_component_id,
        class_id: object.class_id,
        object_id: (object.object_id != UNTRACKED).then_some(object.object_id),
        rect: Rect::new(x, y, width, height),
        confidence: (object.confidence >= 0.0).then_some(object.confidence),
    }
}

/// # Safety
/// `display` is valid and has this layout.
unsafe fn first_arrow(display: *mut DisplayMetaHead, layout: DisplayLayout) -> *mut ArrowParams {
    // SAFETY: the caller vouches for it.
    unsafe {
        match layout {
            DisplayLayout::UpTo8 => {
                (&raw mut (*display.cast::<DisplayMetaUpTo8>()).arrows).cast::<ArrowParams>()
            }
            DisplayLayout::From9 => {
                (&raw mut (*display.cast::<DisplayMetaFrom9>()).arrows).cast::<ArrowParams>()
            }
        }
    }
}

fn arrow_params(arrow: &Arrow) -> ArrowParams {
    let [red, green, blue, alpha] = arrow.color;
    let color = ColorParams { red, green, blue, alpha };
    ArrowParams::new(arrow.from, arrow.to, arrow.width.min(MAX_ARROW_WIDTH), color)
}

/// Called by DeepStream with an `NvDsUserMeta` of ours, from any thread and after any element's end:
/// returns a payload of its own for the copy.
unsafe extern "C" fn copy_gaze(data: *mut c_void, _user: *mut c_void) -> *mut c_void {
    let user = data.cast::<UserMeta>();
    // SAFETY: DeepStream passes the meta that this function was registered in; its payload is a box
    // of ours, or null after its release.
    unsafe {
        if user.is_null() || (*user).user_meta_data.is_null() {
            return std::ptr::null_mut();
        }
        let payload = *(*user).user_meta_data.cast::<GazeObjMeta>();
        Box::into_raw(Box::new(payload)).cast()
    }
}

/// Called by DeepStream when an `NvDsUserMeta` of ours goes back to its pool; a second call finds
/// nothing to free.
unsafe extern "C" fn release_gaze(data: *mut c_void, _user: *mut c_void) {
    let user = data.cast::<UserMeta>();
    // SAFETY: as for the copy; the pointer is taken out before its box is freed.
    unsafe {
        if user.is_null() {
            return;
        }
        let payload = std::mem::replace(&mut (*user).user_meta_data, std::ptr::null_mut());
        if !payload.is_null() {
            drop(Box::from_raw(payload.cast::<GazeObjMeta>()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nvidia::abi::meta::BaseMeta;

    fn user(payload: *mut c_void) -> UserMeta {
        UserMeta {
            base: BaseMeta {
                batch_meta: std::ptr::null_mut(),
                meta_type: 0,
                user_context: std::ptr::null_mut(),
                copy_func: Some(copy_gaze),
                release_func: Some(release_gaze),
            },
            user_meta_data: payload,
        }
    }

    #[test]
    fn a_copy_is_its_own_and_a_second_release_does_nothing() {
        let gaze = GazeObjMeta { pitch: 0.25, ..GazeObjMeta::new() };
        let mut first = user(Box::into_raw(Box::new(gaze)).cast());
        // SAFETY: metas of ours, each released as DeepStream would, and once too often.
        unsafe {
            let mut second = user(copy_gaze((&raw mut first).cast(), std::ptr::null_mut()));
            assert_ne!(first.user_meta_data, second.user_meta_data);
            release_gaze((&raw mut first).cast(), std::ptr::null_mut());
            assert!(first.user_meta_data.is_null());
            assert_eq!(*second.user_meta_data.cast::<GazeObjMeta>(), gaze);
            release_gaze((&raw mut first).cast(), std::ptr::null_mut());
            assert!(copy_gaze((&raw mut first).cast(), std::ptr::null_mut()).is_null());
            release_gaze((&raw mut second).cast(), std::ptr::null_mut());
            release_gaze(std::ptr::null_mut(), std::ptr::null_mut());
        }
    }

    #[test]
    fn a_list_without_end_ends() {
        let mut value = 7u32;
        let mut list = List {
            data: (&raw mut value).cast(),
            next: std::ptr::null_mut(),
            prev: std::ptr::null_mut(),
        };
        list.next = &raw mut list;
        // SAFETY: the list lives to the end of the test.
        assert_eq!(unsafe { elements::<u32>(&raw mut list) }.count(), MAX_LIST);
    }
}
