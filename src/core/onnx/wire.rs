//! Reads the wire format of protocol buffers without trust: it checks every length against the bytes,
//! and allocates nothing by a length in the file.
//!
//! <https://protobuf.dev/programming-guides/encoding>

/// Why some bytes are not a protocol buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A number or a field goes on after the end.
    #[error("it ends in the middle of a field")]
    Truncated,
    /// A number has more than 64 bits, a field number is 0, or a wire type does not exist.
    #[error("it has an invalid field")]
    Malformed,
}

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// An integer, a boolean or an enumeration.
    Varint(u64),
    /// A text, some bytes, a message, or numbers packed together.
    Bytes(&'a [u8]),
    /// Four or eight bytes: a float or a fixed integer.
    Fixed(u64),
}

impl<'a> Value<'a> {
    /// The bytes; none for a number.
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Varint(_) | Self::Fixed(_) => &[],
        }
    }

    /// A text, with replacement characters for bytes that are not UTF-8.
    pub fn text(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// A signed integer; 0 for bytes.
    pub fn integer(self) -> i64 {
        match self {
            Self::Varint(value) | Self::Fixed(value) => value as i64,
            Self::Bytes(_) => 0,
        }
    }

    /// The integers of a repeated field, packed or single.
    pub fn integers(self) -> impl Iterator<Item = Result<i64, WireError>> + 'a {
        let (single, mut packed) = match self {
            Self::Bytes(bytes) => (None, bytes),
            Self::Varint(_) | Self::Fixed(_) => (Some(Ok(self.integer())), &[][..]),
        };
        let rest = std::iter::from_fn(move || {
            if packed.is_empty() {
                return None;
            }
            let value = varint(&mut packed);
            if value.is_err() {
                packed = &[];
            }
            Some(value.map(|value| value as i64))
        });
        single.into_iter().chain(rest)
    }
}

/// The fields of a message in order; ends after the first error.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of these bytes.
    pub const fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn read(&mut self) -> Result<(u32, Value<'a>), WireError> {
        let key = varint(&mut self.rest)?;
        let number = u32::try_from(key >> 3).ok().filter(|number| *number != 0);
        let number = number.ok_or(WireError::Malformed)?;
        let value = match key & 7 {
            0 => Value::Varint(varint(&mut self.rest)?),
            1 => Value::Fixed(self.fixed(8)?),
            2 => {
                let length = varint(&mut self.rest)?;
                let length = usize::try_from(length).map_err(|_| WireError::Truncated)?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed(self.fixed(4)?),
            // 3 and 4 are groups, which ONNX never uses.
            _ => return Err(WireError::Malformed),
        };
        Ok((number, value))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn fixed(&mut self, length: usize) -> Result<u64, WireError> {
        let bytes = self.take(length)?;
        Ok(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// Takes a number from the front of `bytes`: 7 bits a byte, the lowest first.
fn varint(bytes: &mut &[u8]) -> Result<u64, WireError> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(WireError::Truncated)?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        if shift == 63 && part > 1 {
            return Err(WireError::Malformed);
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(WireError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<(u32, Value<'_>)>, WireError> {
        Fields::new(bytes).collect()
    }

    #[test]
    fn the_examples_of_the_specification() {
        // message { int32 a = 1; } with a = 150, and { string b = 2; } with "testing".
        assert_eq!(fields(b"\x08\x96\x01"), Ok(vec![(1, Value::Varint(150))]));
        assert_eq!(fields(b"\x12\x07testing"), Ok(vec![(2, Value::Bytes(b"testing"))]));
        // repeated int32 f = 6 [packed = true] with 3, 270 and 86942.
        let packed = fields(b"\x32\x06\x03\x8e\x02\x9e\xa7\x05").unwrap()[0].1;
        let values: Result<Vec<i64>, _> = packed.integers().collect();
        assert_eq!(values, Ok(vec![3, 270, 86942]));
        // -2 as int64: ten bytes.
        let negative = fields(b"\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01").unwrap()[0].1;
        assert_eq!(negative.integer(), -2);
        assert_eq!(fields(b"\x0d\x01\0\0\0"), Ok(vec![(1, Value::Fixed(1))]));
    }

    #[test]
    fn lengths_are_not_trusted() {
        assert_eq!(fields(b"\x12\x08testing"), Err(WireError::Truncated));
        assert_eq!(
            fields(b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"),
            Err(WireError::Truncated)
        );
        assert_eq!(fields(b"\x09\0\0\0"), Err(WireError::Truncated));
        assert_eq!(fields(b"\x08\x80"), Err(WireError::Truncated));
        // 65 bits, more than ten bytes, field number 0, a group.
        assert_eq!(
            fields(b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
            Err(WireError::Malformed)
        );
        assert_eq!(fields(&[[8].as_slice(), &[0x80; 11]].concat()), Err(WireError::Malformed));
        assert_eq!(fields(b"\x02\x01x"), Err(WireError::Malformed));
        assert_eq!(fields(b"\x0b\x0c"), Err(WireError::Malformed));
    }
}
