//! A panel with axes, which all plots share.

use super::svg::{Anchor, Scale, Svg, label};

/// Width of every plot.
pub const WIDTH: f64 = 960.0;

/// The left and right side of panels: numbers and a title stand at the left.
pub const LEFT: f64 = 66.0;
pub const RIGHT: f64 = WIDTH - 16.0;

/// A panel: its position and its scales.
pub struct Panel {
    pub x: Scale,
    pub y: Scale,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Panel {
    /// A panel from `top` to `bottom`, over these values of x and y.
    pub fn new((top, bottom): (f64, f64), x: (f64, f64), y: (f64, f64)) -> Self {
        let (left, right) = (LEFT, RIGHT);
        let (x, y) = (Scale::new(x, (left, right)), Scale::new(y, (bottom, top)));
        Self { x, y, left, right, top, bottom }
    }

    /// The rectangle.
    pub fn rect(&self) -> [f64; 4] {
        [self.left, self.top, self.right - self.left, self.bottom - self.top]
    }

    /// Draws the background.
    pub fn background(&self, svg: &mut Svg) {
        svg.rect("ground", self.rect());
    }

    /// Draws the lines and numbers of y; `text` formats a value.
    pub fn y_axis(&self, svg: &mut Svg, title: &str, ticks: &[f64], text: impl Fn(f64) -> String) {
        for tick in ticks {
            let y = self.y.at(*tick);
            svg.line("grid", [self.left, y, self.right, y]);
            svg.text("tick", (self.left - 6.0, y + 3.5), Anchor::End, &text(*tick));
        }
        svg.sideways((16.0, f64::midpoint(self.top, self.bottom)), title);
    }

    /// Draws the lines of x.
    pub fn x_grid(&self, svg: &mut Svg, ticks: &[f64]) {
        for tick in ticks {
            let x = self.x.at(*tick);
            svg.line("grid", [x, self.top, x, self.bottom]);
        }
    }

    /// Draws the numbers of x, below the panel.
    pub fn x_axis(&self, svg: &mut Svg, title: &str, ticks: &[f64], text: impl Fn(f64) -> String) {
        for tick in ticks {
            let x = self.x.at(*tick);
            svg.line("axis", [x, self.bottom, x, self.bottom + 4.0]);
            svg.text("tick", (x, self.bottom + 17.0), Anchor::Middle, &text(*tick));
        }
        let middle = f64::midpoint(self.left, self.right);
        svg.text("title", (middle, self.bottom + 36.0), Anchor::Middle, title);
        svg.line("axis", [self.left, self.bottom, self.right, self.bottom]);
    }
}

/// Formats the numbers of an axis by its ticks.
pub fn numbers(ticks: &[f64]) -> impl Fn(f64) -> String + use<> {
    let step = match ticks {
        [a, b, ..] => b - a,
        _ => 1.0,
    };
    move |value| label(value, step)
}

/// The width of a text in the page's small letters, about, in pixels.
pub fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * 6.3
}
