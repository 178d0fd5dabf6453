//! Text of strangers on a terminal: names and values in models and files may hold control characters,
//! which would move the cursor, set colours or answer for the user.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal acts on a character, or it hides how a text reads: control characters, line
/// separators, and marks that change the direction of writing.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(
    text: &str,
    keeps: impl Fn(char) -> bool,
    escape: impl Fn(&mut String, char),
) -> Cow<'_, str> {
    let is_harmless = |c| !acts(c) || keeps(c);
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut printable = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmless(c) { printable.push(c) } else { escape(&mut printable, c) }
    }
    Cow::Owned(printable)
}

/// A text for one line or cell: `\u{1b}` in place of an escape character, `\n` of a line break.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false, |to, c| to.extend(c.escape_default()))
}

/// A text of several lines.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n', |to, c| to.extend(c.escape_default()))
}

/// A JSON document, whose strings may hold what JSON allows and a terminal acts on. It means the same.
pub fn json(document: &str) -> Cow<'_, str> {
    // All of them have one unit of UTF-16, and outside of strings JSON has line breaks and blanks alone.
    let escape = |to: &mut String, c: char| {
        let _ = write!(to, "\\u{:04x}", u32::from(c));
    };
    escaped(document, |c| c == '\n', escape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_escaped() {
        let text = "a\x1b[2J\u{9b}31m\r\n\tb\x7f\u{202e}c";
        assert_eq!(line(text), "a\\u{1b}[2J\\u{9b}31m\\r\\n\\tb\\u{7f}\\u{202e}c");
        assert_eq!(lines("a\nb\x07"), "a\nb\\u{7}");
        assert!(matches!(line("Größe 3×8 °"), Cow::Borrowed(_)));
        let document = serde_json::to_string_pretty(&serde_json::json!({ "name": text })).unwrap();
        let shown = json(&document);
        assert!(!shown.chars().any(|c| acts(c) && c != '\n'), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap()["name"], text);
    }
}
