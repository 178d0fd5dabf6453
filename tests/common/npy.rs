//! Arrays that NumPy stored.

use std::path::Path;

/// The values of a `.npy` file of 32-bit or 64-bit floats, as 32-bit floats.
pub fn read(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\0");
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let text = std::str::from_utf8(&bytes[10..10 + header]).unwrap();
    let (values, double) = (&bytes[10 + header..], text.contains("'<f8'"));
    if double {
        let values = values.as_chunks::<8>().0.iter();
        return values.map(|b| f64::from_le_bytes(*b) as f32).collect();
    }
    assert!(text.contains("'<f4'"), "{text}");
    values.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}
