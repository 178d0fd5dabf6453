//! Draws SVG. Shapes have classes, so that the page's style sheet colours them in light and dark.

use std::fmt::Write as _;

/// Escapes a text for HTML and XML, in an attribute or between tags.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // HTML and XML forbid control characters; those of direction disguise a text.
            '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => {
                escaped.push('\u{fffd}')
            }
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                escaped.push('\u{fffd}');
            }
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Formats a coordinate in tenths of a pixel, which keeps the file short.
pub fn px(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0 + 0.0;
    format!("{rounded}")
}

/// An SVG element.
pub struct Svg {
    body: String,
    width: f64,
    height: f64,
    name: &'static str,
}

/// The side of a text that its point is at.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    /// An empty element; screen readers say `name`.
    pub fn new(width: f64, height: f64, name: &'static str) -> Self {
        Self { body: String::new(), width, height, name }
    }

    pub fn rect(&mut self, class: &str, [x, y, width, height]: [f64; 4]) {
        let [x, y, width, height] = [x, y, width, height].map(px);
        let _ = writeln!(
            self.body,
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}"/>"#
        );
    }

    pub fn line(&mut self, class: &str, [x1, y1, x2, y2]: [f64; 4]) {
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(px);
        let _ = writeln!(
            self.body,
            r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#
        );
    }

    pub fn path(&mut self, class: &str, path: &str) {
        if !path.is_empty() {
            let _ = writeln!(self.body, r#"<path class="{class}" d="{path}"/>"#);
        }
    }

    pub fn ellipse(&mut self, class: &str, [cx, cy, rx, ry]: [f64; 4]) {
        let [cx, cy, rx, ry] = [cx, cy, rx, ry].map(px);
        let _ = writeln!(
            self.body,
            r#"<ellipse class="{class}" cx="{cx}" cy="{cy}" rx="{rx}" ry="{ry}"/>"#
        );
    }

    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = writeln!(
            self.body,
            r#"<text class="{class}" x="{}" y="{}" text-anchor="{anchor}">{}</text>"#,
            px(x),
            px(y),
            escape(text)
        );
    }

    /// Draws a text that reads upwards.
    pub fn sideways(&mut self, (x, y): (f64, f64), text: &str) {
        let (x, y) = (px(x), px(y));
        let _ = writeln!(
            self.body,
            r#"<text class="title" transform="translate({x} {y}) rotate(-90)" text-anchor="middle">{}</text>"#,
            escape(text)
        );
    }

    /// Clips what follows to a rectangle; `id` must be unique in the page.
    pub fn clip(&mut self, id: &str, [x, y, width, height]: [f64; 4]) {
        let [x, y, width, height] = [x, y, width, height].map(px);
        let _ = writeln!(
            self.body,
            r##"<clipPath id="{id}"><rect x="{x}" y="{y}" width="{width}" height="{height}"/></clipPath><g clip-path="url(#{id})">"##
        );
    }

    /// Ends the clipping.
    pub fn unclip(&mut self) {
        self.body.push_str("</g>\n");
    }

    /// The text of the element.
    pub fn end(self) -> String {
        let Self { body, width, height, name } = self;
        let (width, height) = (px(width), px(height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-label=\"{}\">\n{body}</svg>\n",
            escape(name)
        )
    }
}

/// Maps values to pixels.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    /// Maps `from.0` to `to.0` and `from.1` to `to.1`.
    pub fn new(from: (f64, f64), to: (f64, f64)) -> Self {
        Self { from, to }
    }

    /// The position of a value.
    pub fn at(&self, value: f64) -> f64 {
        let span = self.from.1 - self.from.0;
        let part = if span == 0.0 { 0.5 } else { (value - self.from.0) / span };
        self.to.0 + part * (self.to.1 - self.to.0)
    }

    /// The pixels of a length.
    pub fn length(&self, value: f64) -> f64 {
        (self.at(self.from.0 + value) - self.to.0).abs()
    }
}

/// About `count` round numbers between two values.
pub fn ticks(from: f64, to: f64, count: f64) -> Vec<f64> {
    let rough = (to - from) / count.max(1.0);
    if !(rough.is_finite() && rough > 0.0) {
        return vec![from];
    }
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power);
    let step = step.into_iter().find(|step| *step >= rough * 0.999).unwrap_or(10.0 * power);
    stepped(from, to, step)
}

/// Multiples of a step between two values.
pub fn stepped(from: f64, to: f64, step: f64) -> Vec<f64> {
    let (first, last) = ((from / step - 1e-9).ceil() as i64, (to / step + 1e-9).floor() as i64);
    (first..=last).map(|i| i as f64 * step).collect()
}

/// Formats a number of an axis with the digits that its step needs.
pub fn label(value: f64, step: f64) -> String {
    let digits = (-step.abs().max(1e-9).log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{:.digits$}", value + 0.0);
    if text.trim_start_matches(['-', '0', '.']).is_empty() { "0".to_owned() } else { text }
}

/// The unit that suits a length of time, and its seconds.
pub fn time_unit(seconds: f64) -> (&'static str, f64) {
    match seconds {
        ..180.0 => ("s", 1.0),
        ..10_800.0 => ("min", 60.0),
        _ => ("h", 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(0.0, 10.0, 5.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(-23.0, 31.0, 6.0), [-20.0, -10.0, 0.0, 10.0, 20.0, 30.0]);
        assert_eq!(ticks(3.0, 3.0, 5.0), [3.0]);
        assert_eq!(ticks(f64::NAN, 3.0, 5.0).len(), 1);
        let labels: Vec<_> = ticks(0.0, 0.5, 5.0).iter().map(|t| label(*t, 0.1)).collect();
        assert_eq!(labels, ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
        assert_eq!(label(-0.0, 10.0), "0");
    }

    #[test]
    fn scales_go_either_way() {
        let up = Scale::new((0.0, 10.0), (100.0, 0.0));
        assert_eq!((up.at(0.0), up.at(10.0), up.at(2.5), up.length(5.0)), (100.0, 0.0, 75.0, 50.0));
        assert_eq!(Scale::new((3.0, 3.0), (0.0, 8.0)).at(3.0), 4.0);
    }

    #[test]
    fn escapes_and_rounds() {
        assert_eq!(
            escape("<a href=\"x\">'&\u{0}\u{202e}"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;\u{fffd}\u{fffd}"
        );
        assert_eq!((px(1.04), px(-0.04), px(12.0)), ("1".into(), "0".into(), "12".into()));
    }
}
