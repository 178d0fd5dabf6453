//! Crops of the eyes.
//!
//! A square around the eye, as wide as a multiple of the distance between its corners, rotated level
//! by the head's roll. Outside the square the rotation repeats the square's own edge, because the
//! publishers crop first and rotate afterwards.

use crate::core::face::region::EyeCorners;
use crate::core::geometry::{PixelRect, Point, Raster, Size};
use crate::core::image::color::Colorimetry;
use crate::core::image::preprocess::{PreprocessError, Preprocessor};
use crate::core::image::spec::{Border, Channels, ImageSpec, Layout};
use crate::core::image::{FrameView, PixelFormat, Plane};
use crate::core::inference::device::{PreprocessJob, RigidTransform};
use crate::core::inference::{ElementType, TensorMut};
use crate::core::profile::spec::EyeSpec;

/// Largest scale of a square.
const MAX_SCALE: f64 = 10.0;

impl EyeSpec {
    /// Whether the scale is valid.
    pub fn is_valid(&self) -> bool {
        (0.1..=MAX_SCALE).contains(&self.scale)
    }

    /// The pixels that show the square around an eye. `None` where the corners are one point or not
    /// finite, and where the square lies outside the frame or is larger than it.
    ///
    /// Truncates the corners to whole pixels first, and then the middle and the side, as
    /// `createEyeBoundingBox` of the `gaze_estimation_demo` does. All of this happens in square pixels.
    pub fn square(&self, eye: &EyeCorners, raster: impl Into<Raster>) -> Option<PixelRect> {
        let Raster { size, pixel_aspect } = raster.into();
        let [outer, inner] = [eye.outer, eye.inner].map(|p| pixel_aspect.squared_point(p));
        let size = pixel_aspect.squared_size(size);
        let whole = |p: Point| {
            // A corner beyond this lies in no frame.
            let side = |v: f32| (v.abs() <= 1e6).then_some(v as i32);
            Some((side(p.x)?, side(p.y)?))
        };
        let ((x1, y1), (x2, y2)) = (whole(outer)?, whole(inner)?);
        let side = (self.scale * f64::from(x1 - x2).hypot(f64::from(y1 - y2))) as u32;
        let half = (side / 2) as i32;
        let middle = |a: i32, b: i32| (a + b).div_euclid(2);
        let square = PixelRect::new(middle(x1, x2) - half, middle(y1, y2) - half, side, side);
        let possible = side <= size.width.max(size.height) && !square.clipped(size).is_empty();
        possible.then(|| pixel_aspect.unsquared_rect(square))
    }
}

/// Crops an eye into a model's input. Owns all memory that this takes, and allocates none once it has
/// seen the largest eye.
#[derive(Debug)]
pub struct EyeCropper {
    spec: EyeSpec,
    /// Copies the square to bytes, at its own size.
    copy: Preprocessor,
    picture: Preprocessor,
    square: Vec<u8>,
    rotated: Vec<u8>,
}

impl EyeCropper {
    /// A cropper for an input of `image`, with width and height resolved, and elements of type
    /// `element`.
    ///
    /// # Errors
    /// As [`Preprocessor::new`].
    pub fn new(
        spec: EyeSpec,
        image: &ImageSpec,
        element: ElementType,
    ) -> Result<Self, PreprocessError> {
        let bytes = ImageSpec {
            width: 1,
            height: 1,
            layout: Layout::Nhwc,
            channels: Channels::Bgr,
            ..ImageSpec::default()
        };
        Ok(Self {
            spec,
            copy: Preprocessor::new(&bytes, ElementType::U8)?,
            picture: Preprocessor::new(image, element)?,
            square: Vec::new(),
            rotated: Vec::new(),
        })
    }

    /// Elements of one item.
    pub fn item_len(&self) -> usize {
        self.picture.item_len()
    }

    /// As [`EyeSpec::square`].
    pub fn square(&self, eye: &EyeCorners, raster: impl Into<Raster>) -> Option<PixelRect> {
        self.spec.square(eye, raster)
    }

    /// Writes the eye in `square` of a head with this roll (radians, clockwise) to `out`. Outside the
    /// frame its edge repeats. Where pixels are not square, a side of `square` has fewer of them; it is
    /// enlarged before the rotation.
    ///
    /// # Errors
    /// As [`Preprocessor::fill`].
    pub fn fill(
        &mut self,
        frame: &FrameView<'_>,
        square: PixelRect,
        roll: f32,
        out: TensorMut<'_>,
    ) -> Result<(), PreprocessError> {
        if !self.spec.rotate_by_roll {
            self.picture.fill(frame, square, Border::Replicate, out)?;
            return Ok(());
        }
        let side = square.width.max(square.height);
        let size = Size::new(side, side);
        self.copy.set_size(size.width, size.height)?;
        self.square.resize(self.copy.item_len(), 0);
        self.rotated.resize(self.copy.item_len(), 0);
        self.copy.fill(frame, square, Border::Replicate, TensorMut::U8(&mut self.square))?;
        let side = side as usize;
        rotate(&self.square, side, level(side, roll), &mut self.rotated);
        let rotated = bgr(&self.rotated, size)?;
        self.picture.fill(&rotated, PixelRect::full(size), Border::Replicate, out)?;
        Ok(())
    }

    /// The work of [`fill`](Self::fill) for a frame of size `frame`, as a job for a device.
    ///
    /// # Errors
    /// As [`Preprocessor::fill`].
    pub fn job(
        &mut self,
        frame: Size,
        square: PixelRect,
        roll: f32,
    ) -> Result<PreprocessJob<'_>, PreprocessError> {
        if !self.spec.rotate_by_roll {
            return self.picture.job(frame, square, Border::Replicate);
        }
        let rotation = level(square.width as usize, roll);
        self.picture.transformed_job(frame, square, rotation)
    }
}

/// The rotation that makes a square of `side` pixels level whose content is rolled clockwise by
/// `roll` radians, about the pixel `(side / 2, side / 2)`: `cv2.getRotationMatrix2D(centre, degrees, 1)`.
fn level(side: usize, roll: f32) -> RigidTransform {
    let centre = (side / 2) as f64;
    let (sin, cos) = f64::from(roll).sin_cos();
    let start = [centre - cos * centre + sin * centre, centre - sin * centre - cos * centre];
    let [left, top] = start.map(|v| v as f32);
    RigidTransform { cos: cos as f32, sin: sin as f32, left, top }
}

/// Rotates a square picture of three bytes a pixel; outside the square its edge repeats.
///
/// Agrees with `cv2.warpAffine` of OpenCV 5 with the rotation's matrix, `INTER_LINEAR` and
/// `BORDER_REPLICATE`: positions and weights are 32-bit floats there. (OpenCV 4 rounds positions to
/// 1/32 of a pixel, which moves a byte by a few grey levels.)
fn rotate(square: &[u8], side: usize, rotation: RigidTransform, out: &mut [u8]) {
    let RigidTransform { cos: right, sin: down, left: x0, top: y0 } = rotation;
    let last = side as i32 - 1;
    let pixel = |x: i32, y: i32| {
        let at = (y.clamp(0, last) as usize * side + x.clamp(0, last) as usize) * 3;
        [square[at], square[at + 1], square[at + 2]].map(f32::from)
    };
    let between = |a: f32, b: f32, part: f32| a + part * (b - a);
    for (y, row) in out.chunks_exact_mut(side * 3).enumerate() {
        let y = y as f32;
        for (x, to) in row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let x = x as f32;
            let (sx, sy) = (x * right + (y * -down + x0), x * down + (y * right + y0));
            let (left, top) = (sx.floor(), sy.floor());
            let (part_x, part_y) = (sx - left, sy - top);
            let (left, top) = (left as i32, top as i32);
            let upper = [pixel(left, top), pixel(left + 1, top)];
            let lower = [pixel(left, top + 1), pixel(left + 1, top + 1)];
            for (channel, to) in to.iter_mut().enumerate() {
                let [upper, lower] =
                    [upper, lower].map(|[a, b]| between(a[channel], b[channel], part_x));
                *to = between(upper, lower, part_y).round_ties_even() as u8;
            }
        }
    }
}

/// A view of blue, green and red bytes without padding.
fn bgr(data: &[u8], size: Size) -> Result<FrameView<'_>, PreprocessError> {
    let plane = Plane { data, stride: size.width as usize * 3 };
    let view = FrameView::new(PixelFormat::Bgr, size, Colorimetry::default(), &[plane]);
    view.map_err(|_| PreprocessError::TensorSize(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eye(x1: f32, y1: f32, x2: f32, y2: f32) -> EyeCorners {
        EyeCorners { outer: Point { x: x1, y: y1 }, inner: Point { x: x2, y: y2 } }
    }

    #[test]
    fn truncates_to_whole_pixels_as_the_publisher() {
        let spec = EyeSpec::default();
        let size = Size::new(64, 48);
        // Corners (10, 20) and (23, 21): 1.8 * sqrt(170) = 23.47; middle (16, 20).
        let square = PixelRect::new(16 - 11, 20 - 11, 23, 23);
        assert_eq!(spec.square(&eye(10.9, 20.9, 23.2, 21.0), size), Some(square));
        assert_eq!(spec.square(&eye(23.2, 21.0, 10.9, 20.9), size), Some(square));
    }

    #[test]
    fn the_square_is_one_on_the_screen() {
        use crate::core::geometry::PixelAspect;
        let spec = EyeSpec::default();
        let square = spec.square(&eye(100.0, 60.0, 160.0, 60.0), Size::new(640, 480)).unwrap();
        assert_eq!((square.width, square.height), (108, 108));
        let pixel_aspect = PixelAspect::new(2.0, 1.0);
        let narrow = Raster { size: Size::new(320, 480), pixel_aspect };
        let half = spec.square(&eye(50.0, 60.0, 80.0, 60.0), narrow).unwrap();
        assert_eq!(half, PixelRect { x: square.x / 2, width: square.width / 2, ..square });
        // Eyes on a slope of 45 degrees.
        let eyes = [eye(50.0, 60.0, 80.0, 60.0), eye(100.0, 160.0, 80.0, 140.0)];
        let face = crate::core::face::FaceRegion { eyes: Some(eyes), ..Default::default() };
        assert!((face.roll(pixel_aspect).to_degrees() - 45.0).abs() < 1e-3);
    }

    /// An eye of narrow pixels is enlarged before the rotation, which then is one on the screen.
    #[test]
    fn the_level_eye_of_narrow_pixels_is_that_of_square_ones() {
        use crate::core::geometry::PixelAspect;
        let image = ImageSpec { width: 32, height: 32, ..ImageSpec::default() };
        let mut cropper = EyeCropper::new(EyeSpec::default(), &image, ElementType::U8).unwrap();
        let mut crop = |step: u32, pixel_aspect| {
            let size = Size::new(128 / step, 128);
            // Shades that change slowly enough for any interpolation.
            let shade =
                |x: f64, y: f64| (127.0 + 60.0 * (x / 20.0).sin() + 60.0 * (y / 15.0).cos()) as u8;
            let pixels: Vec<u8> = (0..128 * size.width)
                .flat_map(|i| {
                    let (x, y) = (i % size.width, i / size.width);
                    let x = (f64::from(x) + 0.5) * f64::from(step) - 0.5;
                    [shade(x, f64::from(y)); 3]
                })
                .collect();
            let frame = bgr(&pixels, size).unwrap().with_pixel_aspect(pixel_aspect);
            let part = 1.0 / step as f32;
            let eye = eye(44.0 * part, 60.0, 76.0 * part, 70.0);
            let square = cropper.square(&eye, frame.raster()).unwrap();
            let mut out = vec![0; cropper.item_len()];
            cropper.fill(&frame, square, 0.5, TensorMut::U8(&mut out)).unwrap();
            out
        };
        let square = crop(1, PixelAspect::SQUARE);
        let narrow = crop(2, PixelAspect::new(2.0, 1.0));
        let apart = square.iter().zip(&narrow).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(apart <= 6, "{apart}");
    }

    /// `cv2.warpAffine` of OpenCV 5.0 with the matrix of 20 degrees about (3, 3).
    #[test]
    fn rotates_as_opencv() {
        const SIDE: usize = 6;
        let picture: Vec<u8> = (0..SIDE * SIDE * 3).map(|i| (i * i * 7 + i * 37) as u8).collect();
        let mut rotated = vec![0; picture.len()];
        rotate(&picture, SIDE, level(SIDE, 20f32.to_radians()), &mut rotated);
        #[rustfmt::skip]
        let opencv = [
            183, 22, 130, 205, 84, 232, 135, 53, 219, 182, 139, 109, 116, 110, 119, 132, 127, 135,
            140, 19, 113, 140, 114, 156, 169, 120, 91, 233, 172, 124, 174, 150, 141, 129, 120, 124,
            70, 132, 208, 50, 149, 145, 132, 167, 63, 225, 146, 90, 177, 135, 107, 62, 49, 50,
            144, 187, 245, 48, 130, 195, 53, 158, 46, 162, 64, 236, 116, 144, 108, 102, 101, 94,
            140, 173, 219, 70, 133, 160, 108, 100, 98, 76, 124, 114, 35, 213, 149, 103, 182, 156,
            54, 83, 126, 111, 135, 104, 202, 103, 127, 171, 117, 172, 73, 234, 152, 79, 229, 187
        ];
        assert_eq!(rotated, opencv);
        rotate(&picture, SIDE, level(SIDE, 0.0), &mut rotated);
        assert_eq!(rotated, picture);
    }

    #[test]
    fn invalid_corners_give_no_square() {
        let spec = EyeSpec::default();
        for bad in [
            EyeCorners::default(),
            eye(f32::NAN, 0.0, 10.0, 0.0),
            eye(0.0, 0.0, f32::INFINITY, 0.0),
            eye(-1e9, 0.0, 1e9, 0.0),
            eye(-500.0, 0.0, 500.0, 0.0),
            eye(-50.0, -50.0, -40.0, -50.0),
        ] {
            assert_eq!(spec.square(&bad, Size::new(64, 48)), None, "{bad:?}");
        }
        let partial = spec.square(&eye(-7.0, 1.0, 3.0, 1.0), Size::new(64, 48));
        assert_eq!(partial, Some(PixelRect::new(-11, -8, 18, 18)));
    }
}
