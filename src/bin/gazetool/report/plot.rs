//! What all plots have: a panel with axes.

use super::svg::{Anchor, Scale, Svg, label};

/// Width of every plot.
pub const WIDTH: f64 = 960.0;

/// Where panels begin and end: room for numbers and a title at the left.
pub const LEFT: f64 = 66.0;
pub const RIGHT: f64 = WIDTH - 16.0;

/// A panel: where it is, and what its sides mean.
pub struct Panel {
    pub x: Scale,
    pub y: Scale,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Panel {
    /// From `top` to `bottom`, the values of x and y that its sides are.
    pub fn new((top, bottom): (f64, f64), x: (f64, f64), y: (f64, f64)) -> Self {
        let (left, right) = (LEFT, RIGHT);
        let (x, y) = (Scale::new(x, (left, right)), Scale::new(y, (bottom, top)));
        Self { x, y, left, right, top, bottom }
    }

    /// Its rectangle.
    pub fn rect(&self) -> [f64; 4] {
        [self.left, self.top, self.right - self.left, self.bottom - self.top]
    }

    /// Its ground, before anything is drawn on it.
    pub fn ground(&self, svg: &mut Svg) {
        svg.rect("ground", self.rect());
    }

    /// Lines and numbers of y; `text` makes the number of a value.
    pub fn y_axis(&self, svg: &mut Svg, title: &str, ticks: &[f64], text: impl Fn(f64) -> String) {
        for tick in ticks {
            let y = self.y.at(*tick);
            svg.line("grid", [self.left, y, self.right, y]);
            svg.text("tick", (self.left - 6.0, y + 3.5), Anchor::End, &text(*tick));
        }
        svg.sideways((16.0, f64::midpoint(self.top, self.bottom)), title);
    }

    /// Lines of x.
    pub fn x_grid(&self, svg: &mut Svg, ticks: &[f64]) {
        for tick in ticks {
            let x = self.x.at(*tick);
            svg.line("grid", [x, self.top, x, self.bottom]);
        }
    }

    /// Numbers of x, below.
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

/// The numbers of an axis by its ticks.
pub fn numbers(ticks: &[f64]) -> impl Fn(f64) -> String + use<> {
    let step = match ticks {
        [a, b, ..] => b - a,
        _ => 1.0,
    };
    move |value| label(value, step)
}

/// About how wide a text of the page's small letters is, pixels.
pub fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * 6.3
}
