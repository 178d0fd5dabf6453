//! Whether a JPEG file is whole. Decoders fill what is missing with grey and say nothing, and a gaze on it
//! was off by 5 degrees.

/// Start of image.
const SOI: [u8; 2] = [0xff, 0xd8];

/// Whether a JPEG file ends before its end-of-image marker (ITU-T T.81, B.1.1.3 and B.2.1).
pub fn is_cut_off(file: &[u8]) -> bool {
    let Some(mut rest) = file.strip_prefix(&SOI) else { return false };
    while let Some(at) = rest.iter().position(|byte| *byte == 0xff) {
        // Fill bytes may stand before the code of a marker.
        rest = &rest[at..];
        let fill = rest.iter().take_while(|byte| **byte == 0xff).count();
        rest = &rest[fill..];
        let Some((code, behind)) = rest.split_first() else { return true };
        rest = match code {
            0xd9 => return false,
            // A byte 0xff of the compressed data, TEM, and RST0 to RST7 have no parameters.
            0x00 | 0x01 | 0xd0..=0xd7 => behind,
            // The others tell their length, which includes its own two bytes.
            _ => {
                let Some((length, _)) = behind.split_first_chunk() else { return true };
                let Some(next) = behind.get(usize::from(u16::from_be_bytes(*length))..) else {
                    return true;
                };
                next
            }
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use image::ExtendedColorType;
    use image::codecs::jpeg::JpegEncoder;

    use super::*;
    use crate::images::DecodedImage;

    /// A JPEG file of noise, with a thumbnail in its Exif part.
    fn file() -> Vec<u8> {
        let mut state = 1u32;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        let rgb: Vec<u8> = noise.take(64 * 64 * 3).collect();
        let mut file = Vec::new();
        JpegEncoder::new(&mut file).encode(&rgb, 64, 64, ExtendedColorType::Rgb8).unwrap();
        let thumbnail = [&[0xff, 0xe1, 0, 10], &b"Exif\0\0"[..], &[0xff, 0xd9]].concat();
        file.splice(2..2, thumbnail);
        file
    }

    #[test]
    fn a_file_is_whole_at_its_end_alone() {
        let whole = file();
        assert!(!is_cut_off(&whole));
        for length in 2..whole.len() {
            assert!(is_cut_off(&whole[..length]), "{length} of {}", whole.len());
        }
        assert!(!is_cut_off(&[&whole, &b"more"[..]].concat()));
        assert!(!is_cut_off(b"another format"));
    }

    #[test]
    fn a_part_of_a_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("face.jpg");
        let whole = file();
        std::fs::write(&path, &whole).unwrap();
        assert!(DecodedImage::load(&path).is_ok());
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let why = DecodedImage::load(&path).err().unwrap();
        assert!(why.contains("ends too early"), "{why}");
    }
}
