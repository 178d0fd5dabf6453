//! Text in one monospaced font, whose glyphs are rasterised once for each size.
//!
//! In a monospaced font a label keeps its width while its digits change.

use ab_glyph::{Font as _, FontRef, PxScale, ScaleFont as _};

/// The coverage of one character, relative to the pen on the baseline.
pub(super) struct Glyph {
    pub left: i32,
    pub top: i32,
    pub width: usize,
    /// Row by row, 0..=255.
    pub coverage: Vec<u8>,
}

/// The metrics of the font, in whole pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Metrics {
    /// From one character to the next.
    pub advance: u32,
    /// From the baseline to the top of capitals and digits.
    pub cap_height: u32,
    /// Size of the em square.
    pub em: u32,
}

impl Metrics {
    /// From one baseline to the next.
    pub fn line(&self) -> u32 {
        self.em * 6 / 5
    }
}

/// The font, with the glyphs used so far at the current size.
pub(super) struct Font {
    face: FontRef<'static>,
    metrics: Metrics,
    glyphs: Vec<(char, Glyph)>,
}

impl Font {
    pub fn new() -> Result<Self, ab_glyph::InvalidFont> {
        let face = FontRef::try_from_slice(epaint_default_fonts::HACK_REGULAR)?;
        Ok(Self { face, metrics: Metrics::default(), glyphs: Vec::new() })
    }

    /// Changes the size of the em square, and drops the glyphs of the old size.
    pub fn resize(&mut self, em: u32) -> Metrics {
        if em != self.metrics.em {
            self.glyphs.clear();
            let font = self.face.as_scaled(self.scale(em));
            let advance = font.h_advance(self.face.glyph_id('0'));
            let zero = self.face.outline(self.face.glyph_id('0'));
            // In unscaled outlines y is up, and `min` is the top left corner.
            let cap = zero.map_or(0.0, |outline| outline.bounds.min.y * font.v_scale_factor());
            self.metrics =
                Metrics { advance: advance.round() as u32, cap_height: cap.round() as u32, em };
        }
        self.metrics
    }

    /// From one character to the next, in pixels.
    pub fn advance(&self) -> u32 {
        self.metrics.advance
    }

    /// The scale for an em square: ab_glyph measures a font by its line height.
    fn scale(&self, em: u32) -> PxScale {
        let units = self.face.units_per_em().unwrap_or(1.0);
        PxScale::from(em as f32 * self.face.height_unscaled() / units)
    }

    /// The glyph of a character at the current size.
    pub fn glyph(&mut self, character: char) -> &Glyph {
        let index = match self.glyphs.iter().position(|(c, _)| *c == character) {
            Some(index) => index,
            None => {
                let glyph = self.rasterize(character);
                self.glyphs.push((character, glyph));
                self.glyphs.len() - 1
            }
        };
        &self.glyphs[index].1
    }

    fn rasterize(&self, character: char) -> Glyph {
        let id = self.face.glyph_id(character);
        let glyph = id.with_scale(self.scale(self.metrics.em));
        let Some(outline) = self.face.outline_glyph(glyph) else {
            return Glyph { left: 0, top: 0, width: 0, coverage: Vec::new() };
        };
        let bounds = outline.px_bounds();
        let (width, height) = (bounds.width() as usize, bounds.height() as usize);
        let mut coverage = vec![0; width * height];
        outline.draw(|x, y, c| {
            if let Some(to) = coverage.get_mut(y as usize * width + x as usize) {
                *to = (c * 255.0).round() as u8;
            }
        });
        Glyph { left: bounds.min.x as i32, top: bounds.min.y as i32, width, coverage }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_a_label_is_in_the_font() {
        let font = Font::new().unwrap();
        for c in "#0123456789 pitchyawnogz+\u{2212}.\u{b0}".chars() {
            assert_ne!(font.face.glyph_id(c).0, 0, "{c:?}");
        }
    }

    #[test]
    fn glyphs_stand_on_the_baseline_and_are_made_once() {
        let mut font = Font::new().unwrap();
        let metrics = font.resize(48);
        assert!((20..40).contains(&metrics.advance), "{metrics:?}");
        assert!((30..42).contains(&metrics.cap_height), "{metrics:?}");
        let one = font.glyph('1');
        let rows = one.coverage.len() / one.width;
        assert!((one.top + rows as i32).abs() <= 1);
        assert!(one.coverage.contains(&255));
        font.glyph('1');
        assert_eq!(font.glyphs.len(), 1);
        font.resize(12);
        assert!(font.glyphs.is_empty());
        assert!(font.glyph('1').coverage.len() < 48 * 48 / 8);
    }
}
