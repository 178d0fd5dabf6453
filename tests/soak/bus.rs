//! What the elements say: counted by kind, and whether a fault on the schedule brings it.

use gst::prelude::*;

use super::stream::Stream;

impl Stream<'_> {
    /// Takes what is on the bus.
    pub fn look(&mut self) -> Result<(), String> {
        while let Some(message) = self.bus.pop() {
            use gst::MessageView::{Element, Eos, Error, Warning};
            let from = |message: &gst::Message| {
                let element = message.src().and_then(|src| src.downcast_ref::<gst::Element>());
                let factory = element.and_then(|element| element.factory());
                factory.map_or_else(|| "?".into(), |factory| factory.name().to_string())
            };
            match message.view() {
                Eos(_) => self.eos = true,
                Element(element) => {
                    let name = element.structure().map_or("", |s| s.name().as_str());
                    *self.ledger.messages.entry(name.to_owned()).or_default() += 1;
                }
                Warning(warning) => {
                    let kind = kind(&from(&message), warning.error().message());
                    if !EXPECTED.iter().any(|expected| kind.starts_with(expected)) {
                        *self.ledger.unexpected.entry(kind.clone()).or_default() += 1;
                    }
                    *self.ledger.warnings.entry(kind).or_default() += 1;
                }
                Error(error) => {
                    let kind = kind(&from(&message), error.error().message());
                    let text = error.error().to_string();
                    *self.ledger.errors.entry(kind).or_default() += 1;
                    if self.refused_starts == self.ledger.refused_starts {
                        return Err(format!("an error: {text} ({:?})", error.debug()));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The first error on the bus.
    pub fn last_words(&self) -> String {
        let message = self.bus.pop_filtered(&[gst::MessageType::Error]);
        let text = message.and_then(|message| match message.view() {
            gst::MessageView::Error(error) => Some(error.error().to_string()),
            _ => None,
        });
        text.unwrap_or_else(|| "no error on the bus".to_owned())
    }
}

/// The warnings that scheduled faults bring.
const EXPECTED: [&str; 9] = [
    "gazeface: Frame passed on without faces",
    "gazeface: Time stamps went back",
    "gazemonitor: Time stamps went back",
    "gazeinfer: Frame passed on without gaze",
    "gazeinfer: The engine was not replaced",
    "gazeoverlay: Frame passed on",
    "gazepublish: Cannot write to",
    "gazepublish: The reader is too slow",
    "gazepublish: # lines written",
];

/// What sort of message it is: who says it, and how it begins, whatever the numbers are.
fn kind(from: &str, text: &str) -> String {
    let number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let words = text.split_whitespace().take(6).map(|w| if number(w) { "#" } else { w });
    let words: Vec<&str> = words.collect();
    let words = words.join(" ");
    let end = words.find(['\'', '"', ':', ',']).unwrap_or(words.len());
    format!("{from}: {}", words[..end].trim_end())
}
