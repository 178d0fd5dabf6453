//! Writes protocol buffers, field by field and from the innermost message out.
//!
//! <https://protobuf.dev/programming-guides/encoding>

/// A message being written.
#[derive(Debug, Default)]
pub struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// A field with a number.
    pub fn int(mut self, field: u32, value: u64) -> Self {
        self.varint(u64::from(field) << 3);
        self.varint(value);
        self
    }

    /// A field with bytes.
    pub fn bytes(mut self, field: u32, value: &[u8]) -> Self {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    /// A field with a text.
    pub fn text(self, field: u32, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    /// A field with a message.
    pub fn message(self, field: u32, value: Self) -> Self {
        self.bytes(field, &value.0)
    }

    /// A field for each value.
    pub fn messages(self, field: u32, values: impl IntoIterator<Item = Self>) -> Self {
        values.into_iter().fold(self, |message, value| message.message(field, value))
    }

    /// The written bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Fields, Value};
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let inner = Message::default().int(1, 0).int(2, u64::MAX);
        let bytes = Message::default().text(3, "face").message(1000, inner).into_bytes();
        let fields: Vec<_> = Fields::new(&bytes).collect::<Result<_, _>>().unwrap();
        assert_eq!(fields[0], (3, Value::Bytes(b"face")));
        assert_eq!(fields[1].0, 1000);
        let inner = Fields::new(fields[1].1.bytes());
        let expected = [(1, Value::Varint(0)), (2, Value::Varint(u64::MAX))];
        assert_eq!(inner.collect::<Result<Vec<_>, _>>().unwrap(), expected);
    }

    /// The examples of the encoding's documentation.
    #[test]
    fn the_documented_bytes() {
        assert_eq!(Message::default().int(1, 150).into_bytes(), [0x08, 0x96, 0x01]);
        let testing = [0x12, 0x07, b't', b'e', b's', b't', b'i', b'n', b'g'];
        assert_eq!(Message::default().text(2, "testing").into_bytes(), testing);
    }
}
