//! Images from files.

use std::fs;
use std::io::{Cursor, ErrorKind};
use std::path::{Path, PathBuf};

use gstgaze::core::draw::FrameMut;
use gstgaze::core::geometry::Size;
use gstgaze::core::image::color::Colorimetry;
use gstgaze::core::image::{FrameError, FrameView, PixelFormat, Plane, PlaneLayout};
use gstgaze::engine::user_file::{self, FileError};
use image::codecs::png::PngEncoder;
use image::error::{ImageError, LimitError, LimitErrorKind};
use image::{ColorType, DynamicImage, ImageDecoder as _, ImageEncoder as _, ImageReader, Limits};

use crate::jpeg;
use crate::output::Failure;

/// Extensions of the files that the commands take from a folder.
const EXTENSIONS: [&str; 3] = ["png", "jpg", "jpeg"];

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 29;

/// Memory that decoding one image may take: about 350 million pixels.
const MAX_BYTES: u64 = 1 << 30;

/// A decoded image in RGB, its rows without padding.
pub struct DecodedImage {
    size: Size,
    rgb: Vec<u8>,
}

impl DecodedImage {
    /// Reads a PNG or JPEG file by its content and applies its Exif orientation, as OpenCV's `imread`
    /// does.
    ///
    /// # Errors
    /// A text that says what failed and what to do.
    pub fn load(path: &Path) -> Result<Self, String> {
        let file = user_file::read(path, MAX_FILE).map_err(|why| match why {
            FileError::NotFound => "there is no such file".to_owned(),
            why => why.to_string(),
        });
        decode(&file?.0).map_err(|why| match why {
            ImageError::Unsupported(_) => {
                "unknown image format: give a PNG or JPEG file".to_owned()
            }
            ImageError::Limits(_) => format!(
                "the image is too large: decoding it takes more than {} MiB; shrink it first",
                MAX_BYTES >> 20
            ),
            ImageError::IoError(why) if why.kind() == ErrorKind::UnexpectedEof => {
                "the image is broken: the file ends too early".to_owned()
            }
            ImageError::Decoding(why) => format!("the image is broken: {why}"),
            why => why.to_string(),
        })
    }

    /// Width and height in pixels.
    pub fn size(&self) -> Size {
        self.size
    }

    fn stride(&self) -> usize {
        self.size.width as usize * 3
    }

    /// The pixels, to read.
    pub fn view(&self) -> Result<FrameView<'_>, FrameError> {
        let plane = Plane { data: &self.rgb, stride: self.stride() };
        FrameView::new(PixelFormat::Rgb, self.size, Colorimetry::default(), &[plane])
    }

    /// The pixels, to draw on.
    pub fn view_mut(&mut self) -> Result<FrameMut<'_>, FrameError> {
        let layout = [PlaneLayout { offset: 0, stride: self.stride() }];
        let (size, colors) = (self.size, Colorimetry::default());
        FrameMut::new(PixelFormat::Rgb, size, colors, &layout, &mut self.rgb)
    }

    /// The image as the content of a PNG file.
    pub fn png(&self) -> Result<Vec<u8>, ImageError> {
        let Size { width, height } = self.size;
        let mut png = Vec::new();
        PngEncoder::new(&mut png).write_image(&self.rgb, width, height, ColorType::Rgb8.into())?;
        Ok(png)
    }
}

fn decode(file: &[u8]) -> Result<DecodedImage, ImageError> {
    if jpeg::is_cut_off(file) {
        return Err(ImageError::IoError(ErrorKind::UnexpectedEof.into()));
    }
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    // Memory as RGB; the decoder's own check counts only the file's channels.
    if u64::from(width) * u64::from(height) * 3 > MAX_BYTES {
        return Err(ImageError::Limits(LimitError::from_kind(LimitErrorKind::DimensionError)));
    }
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    let rgb = image.into_rgb8();
    let size = Size::new(rgb.width(), rgb.height());
    Ok(DecodedImage { size, rgb: rgb.into_raw() })
}

/// Lists the files of files and folders; of a folder, its images in order of their names.
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

/// Lists the images of a folder in order of their names.
pub fn in_folder(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let shown = path.display();
    let entries = fs::read_dir(path)
        .map_err(|why| Failure::cannot(format!("cannot read the folder '{shown}': {why}")))?;
    let is_image = |path: &PathBuf| {
        let extension =
            path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
    };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(is_image).collect();
    if found.is_empty() {
        return Err(Failure::cannot(format!(
            "the folder '{shown}' holds no image: the command takes files that end in .{} and does \
             not enter folders",
            EXTENSIONS.join(", .")
        )));
    }
    found.sort();
    Ok(found)
}
