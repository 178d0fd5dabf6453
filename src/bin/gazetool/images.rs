//! Pictures from files.

use std::fs::{self, File};
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use gstgaze::core::draw::FrameMut;
use gstgaze::core::geometry::Size;
use gstgaze::core::image::color::Colorimetry;
use gstgaze::core::image::{FrameError, FrameView, PixelFormat, Plane, PlaneLayout};
use image::error::{ImageError, LimitError, LimitErrorKind};
use image::{ColorType, DynamicImage, ImageDecoder as _, ImageReader, Limits};

use crate::output::Failure;

/// Endings of the files that are taken of a folder.
const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];

/// The most memory that decoding one picture may take: about 350 million pixels.
const MAX_BYTES: u64 = 1 << 30;

/// A picture, red, green and blue, rows without padding.
pub struct Picture {
    size: Size,
    rgb: Vec<u8>,
}

impl Picture {
    /// Reads a PNG or JPEG file, told by its content, upright as its Exif data say (as OpenCV's
    /// `imread` does).
    ///
    /// # Errors
    /// A text that says what is wrong and what to do.
    pub fn load(path: &Path) -> Result<Self, String> {
        decode(path).map_err(|why| match why {
            ImageError::IoError(why) if why.kind() == ErrorKind::NotFound => {
                "there is no such file".to_owned()
            }
            ImageError::Unsupported(_) => {
                "it is not an image that is read: give a PNG or JPEG file".to_owned()
            }
            ImageError::Limits(_) => format!(
                "it is too large: decoding it takes more than {} MiB; shrink it first",
                MAX_BYTES >> 20
            ),
            ImageError::IoError(why) if why.kind() == ErrorKind::UnexpectedEof => {
                "it is a broken image (it ends too early)".to_owned()
            }
            ImageError::Decoding(why) => format!("it is a broken image ({why})"),
            why => why.to_string(),
        })
    }

    /// Extent in pixels.
    pub fn size(&self) -> Size {
        self.size
    }

    fn stride(&self) -> usize {
        self.size.width as usize * 3
    }

    /// Its pixels, to be looked at.
    pub fn view(&self) -> Result<FrameView<'_>, FrameError> {
        let plane = Plane { data: &self.rgb, stride: self.stride() };
        FrameView::new(PixelFormat::Rgb, self.size, Colorimetry::default(), &[plane])
    }

    /// Its pixels, to be drawn on.
    pub fn view_mut(&mut self) -> Result<FrameMut<'_>, FrameError> {
        let layout = [PlaneLayout { offset: 0, stride: self.stride() }];
        let (size, colors) = (self.size, Colorimetry::default());
        FrameMut::new(PixelFormat::Rgb, size, colors, &layout, &mut self.rgb)
    }

    /// Writes it as PNG.
    pub fn save(&self, path: &Path) -> Result<(), ImageError> {
        let Size { width, height } = self.size;
        let format = image::ImageFormat::Png;
        image::save_buffer_with_format(path, &self.rgb, width, height, ColorType::Rgb8, format)
    }
}

fn decode(path: &Path) -> Result<Picture, ImageError> {
    let mut reader = ImageReader::new(BufReader::new(File::open(path)?)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    // As red, green and blue; the decoder itself looks only at the file's own channels.
    if u64::from(width) * u64::from(height) * 3 > MAX_BYTES {
        return Err(ImageError::Limits(LimitError::from_kind(LimitErrorKind::DimensionError)));
    }
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    let rgb = picture.into_rgb8();
    let size = Size::new(rgb.width(), rgb.height());
    Ok(Picture { size, rgb: rgb.into_raw() })
}

/// The files of a list of files and folders; of a folder those that end like pictures, by name.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(in_folder(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// The pictures of a folder.
pub fn in_folder(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let shown = path.display();
    let entries = fs::read_dir(path)
        .map_err(|why| Failure::cannot(format!("cannot read the folder '{shown}': {why}")))?;
    let is_picture = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
    };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(is_picture).collect();
    if found.is_empty() {
        return Err(Failure::cannot(format!(
            "there is no picture in '{shown}': files that end in .{} are taken, folders in it are \
             not looked into",
            ENDINGS.join(", .")
        )));
    }
    found.sort();
    Ok(found)
}
