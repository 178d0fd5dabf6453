//! A pinhole camera: projects directions in space to pixels, and back.
//!
//! The model is OpenCV's: a pinhole with three radial and two tangential coefficients
//! (`cv2.calibrateCamera` with its default flags; Brown 1966). Camera coordinates are those of
//! [`angles`](crate::core::geometry::angles); pixels count from the centre of the top left one, as
//! in OpenCV.

use crate::core::geometry::matrix::{Mat3, Vec3};
use crate::core::geometry::raster::Raster;
use crate::core::geometry::rect::Size;

/// The horizontal field of view in degrees of a camera without a calibration: about that of webcams
/// and of driver monitoring cameras.
pub const DEFAULT_FIELD_OF_VIEW: f64 = 60.0;

/// The smallest and the largest field of view, in degrees, that the pinhole model fits.
pub const FIELD_OF_VIEW_RANGE: [f64; 2] = [5.0, 170.0];

/// The intrinsics and the distortion of a camera, calibrated or assumed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Focal length in widths of a pixel.
    pub fx: f64,
    /// Focal length in heights of a pixel.
    pub fy: f64,
    /// Column of the principal point.
    pub cx: f64,
    /// Row of the principal point.
    pub cy: f64,
    /// k1, k2, p1, p2, k3.
    pub distortion: [f64; 5],
    /// Size of the frames that all of this is measured in.
    pub size: Size,
}

/// What is known about the camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optics {
    /// Its calibration.
    Calibrated(Camera),
    /// Its horizontal field of view in degrees, known or assumed.
    FieldOfView(f64),
}

impl Default for Optics {
    fn default() -> Self {
        Self::FieldOfView(DEFAULT_FIELD_OF_VIEW)
    }
}

impl Optics {
    /// The camera for frames of a raster. A calibration has focal lengths of its own across and down,
    /// so that it fits pixels of any shape.
    pub fn camera(&self, raster: impl Into<Raster>) -> Camera {
        let raster = raster.into();
        match self {
            Self::Calibrated(camera) => camera.rescaled(raster.size),
            Self::FieldOfView(degrees) => Camera::from_field_of_view(*degrees, raster),
        }
    }
}

impl Camera {
    /// A camera without distortion whose horizontal field of view is `degrees`, clamped to
    /// [`FIELD_OF_VIEW_RANGE`]. Its principal point is the middle of the frame. The focal length is the
    /// same distance across and down: `fy / fx` is a pixel's width by its height.
    pub fn from_field_of_view(degrees: f64, raster: impl Into<Raster>) -> Self {
        let Raster { size, pixel_aspect } = raster.into();
        let [least, most] = FIELD_OF_VIEW_RANGE;
        let degrees = if degrees.is_nan() { DEFAULT_FIELD_OF_VIEW } else { degrees };
        let half = degrees.clamp(least, most).to_radians() / 2.0;
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        let focal = width / 2.0 / half.tan();
        Self {
            fx: focal,
            fy: focal * pixel_aspect.ratio(),
            cx: (width - 1.0) / 2.0,
            cy: (height - 1.0) / 2.0,
            distortion: [0.0; 5],
            size,
        }
    }

    /// The same camera for frames of another size that show the same scene.
    #[must_use]
    pub fn rescaled(&self, size: Size) -> Self {
        if size == self.size || self.size.is_empty() {
            return *self;
        }
        let sx = f64::from(size.width) / f64::from(self.size.width);
        let sy = f64::from(size.height) / f64::from(self.size.height);
        Self {
            fx: self.fx * sx,
            fy: self.fy * sy,
            // The corner of a pixel scales, not its centre.
            cx: (self.cx + 0.5) * sx - 0.5,
            cy: (self.cy + 0.5) * sy - 0.5,
            size,
            ..*self
        }
    }

    /// Whether frames of `size`, with pixels `pixel_aspect` times as wide as high, have the shape of
    /// the calibration's pictures, to 2 percent. A frame of another shape shows another part of the
    /// scene, which scaling does not describe.
    ///
    /// The calibration's pixels count as square, or as its focal lengths show them where it was made
    /// with the frames' own pixels.
    pub fn has_shape_of(&self, size: Size, pixel_aspect: f64) -> bool {
        if size.is_empty() || self.size.is_empty() {
            return true;
        }
        let aspect = |size: Size| f64::from(size.width) / f64::from(size.height);
        let ratio = aspect(size) * pixel_aspect / aspect(self.size);
        [1.0, self.fy / self.fx].into_iter().any(|own| (ratio / own - 1.0).abs() <= 0.02)
    }

    /// Maps directions to pixels, without the distortion.
    pub fn matrix(&self) -> Mat3 {
        [[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]]
    }

    /// The pixel of a point in camera coordinates; `None` behind the camera.
    pub fn project(&self, [x, y, z]: Vec3) -> Option<[f64; 2]> {
        if z <= 0.0 {
            return None;
        }
        let [x, y] = self.distort([x / z, y / z]);
        let pixel = [self.fx * x + self.cx, self.fy * y + self.cy];
        pixel.iter().all(|v| v.is_finite()).then_some(pixel)
    }

    /// The x and y of the direction (x, y, 1) that a pixel shows: `cv2.undistortPoints`.
    pub fn undistort(&self, [u, v]: [f64; 2]) -> [f64; 2] {
        let seen = [(u - self.cx) / self.fx, (v - self.cy) / self.fy];
        if self.distortion == [0.0; 5] {
            return seen;
        }
        // OpenCV's fixed-point iteration, until it converges.
        let mut at = seen;
        for _ in 0..50 {
            let (radial, tangential) = self.terms(at);
            let next = [(seen[0] - tangential[0]) / radial, (seen[1] - tangential[1]) / radial];
            let moved = (next[0] - at[0]).abs().max((next[1] - at[1]).abs());
            at = next;
            if moved < 1e-12 {
                break;
            }
        }
        at
    }

    /// Radial factor and tangential shift at a direction.
    fn terms(&self, [x, y]: [f64; 2]) -> (f64, [f64; 2]) {
        let [k1, k2, p1, p2, k3] = self.distortion;
        let r2 = x * x + y * y;
        let radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
        let dx = 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x);
        let dy = p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y;
        (radial, [dx, dy])
    }

    fn distort(&self, at: [f64; 2]) -> [f64; 2] {
        let (radial, [dx, dy]) = self.terms(at);
        [at[0] * radial + dx, at[1] * radial + dy]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::raster::PixelAspect;

    const HD: Size = Size::new(1280, 720);

    #[test]
    fn a_field_of_view_reaches_the_edges() {
        let camera = Camera::from_field_of_view(60.0, HD);
        let [x, _] = camera.undistort([-0.5, 100.0]);
        assert!((x.atan().to_degrees() + 30.0).abs() < 1e-9);
        let [x, _] = camera.undistort([1279.5, 100.0]);
        assert!((x.atan().to_degrees() - 30.0).abs() < 1e-9);
        for odd in [f64::NAN, -3.0, 1e9] {
            assert!(Camera::from_field_of_view(odd, HD).fx > 0.0);
        }
    }

    #[test]
    fn pixels_of_any_shape_see_the_same() {
        let square = Camera::from_field_of_view(60.0, Size::new(1024, 576));
        let pixel_aspect = PixelAspect::new(64.0, 45.0);
        let pal =
            Camera::from_field_of_view(60.0, Raster { size: Size::new(720, 576), pixel_aspect });
        for (u, v) in [(0.0, 0.0), (100.0, 500.0), (1023.0, 288.0)] {
            let [x, y] = square.undistort([u, v]);
            let [px, py] = pal.undistort([(u + 0.5) * 720.0 / 1024.0 - 0.5, v]);
            assert!((x - px).abs() < 1e-12 && (y - py).abs() < 1e-12, "{x} {px}, {y} {py}");
        }
    }

    #[test]
    fn distorted_and_back() {
        let distortion = [-0.31, 0.12, 0.001, -0.0007, -0.02];
        let camera = Camera { distortion, ..Camera::from_field_of_view(70.0, HD) };
        for u in (0..1280).step_by(160) {
            for v in (0..720).step_by(90) {
                let pixel = [f64::from(u), f64::from(v)];
                let [x, y] = camera.undistort(pixel);
                let back = camera.project([x * 5.0, y * 5.0, 5.0]).unwrap();
                let apart = (back[0] - pixel[0]).hypot(back[1] - pixel[1]);
                assert!(apart < 1e-6, "{pixel:?} {back:?}");
            }
        }
        assert_eq!(camera.project([0.0, 0.0, -1.0]), None);
    }

    #[test]
    fn frames_of_another_shape_are_told_apart() {
        let camera = Camera::from_field_of_view(50.0, HD);
        for (width, height, pixel_aspect, same) in [
            (1280, 720, 1.0, true),
            (640, 360, 1.0, true),
            (1366, 768, 1.0, true),
            (720, 576, 64.0 / 45.0, true),
            (640, 480, 1.0, false),
            (720, 1280, 1.0, false),
            (0, 0, 1.0, true),
        ] {
            let shape = camera.has_shape_of(Size::new(width, height), pixel_aspect);
            assert_eq!(shape, same, "{width}x{height}");
        }
        // Calibrated with the anamorphic frames themselves.
        let size = Size::new(720, 576);
        let raster = Raster { size, pixel_aspect: PixelAspect::new(64.0, 45.0) };
        let camera = Camera::from_field_of_view(50.0, raster);
        assert!(camera.has_shape_of(size, 64.0 / 45.0));
        assert!(camera.has_shape_of(Size::new(1024, 576), 1.0));
    }

    #[test]
    fn another_size_sees_the_same() {
        let camera = Camera { cx: 600.0, ..Camera::from_field_of_view(50.0, HD) };
        let half = camera.rescaled(Size::new(640, 360));
        // The corner between four pixels is the centre of the one that they become.
        let (a, b) = (camera.undistort([100.5, 40.5]), half.undistort([50.0, 20.0]));
        assert!((a[0] - b[0]).abs() < 1e-12 && (a[1] - b[1]).abs() < 1e-12);
    }
}
