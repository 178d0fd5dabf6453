//! The embedded detector: SeetaFace's detector of frontal faces, which needs no file and no runtime.
//!
//! ```text
//! grey picture -- Resampler --> level of a pyramid -- FeatureMap, Boosted --> windows of 40x40
//!                                                                                |  merged
//! (rect, votes) <-- merged <-- Window::moved <-- Network <-- Gradients <---------+
//! ```
//! The method is that of Wu, Kan, He, Shan and Chen, "Funnel-structured cascade for multi-view face
//! detection with alignment-awareness" (2016). Boosted detectors for three ranges of poses judge every
//! window. Small networks judge each window that passes, and correct its position. A larger network
//! judges and corrects once more.
//!
//! The numbers are the authors' own, from the package of the crate `rustface` (BSD-2-Clause, see
//! `THIRD-PARTY.md`). That crate's code is not used. A window that a network moves outside the picture
//! makes it copy from and to memory outside its own with raw pointers. Two networks can move a window
//! by three times its side and make it four times as large before the third judges it, so only a border
//! of more than four times the picture on each side would prevent that. It also writes through pointers
//! made from shared references, which no border cures. Here a window outside the picture is dropped,
//! and the surroundings of the picture are black, as in the authors' C++. Where no window leaves the
//! picture, both find the same faces (`tests/frontal.rs`).

mod lab;
mod model;
mod network;
mod resample;
mod surf;
mod window;

pub use model::ModelError;

use lab::FeatureMap;
use model::{Boosted, GROUP, MODEL, Model, Network};
use network::Evaluator;
use resample::{Picture, Resampler};
use surf::WINDOW;
use window::{Window, merge};

use crate::core::geometry::rect::{PixelRect, Size};

/// The scale from one level of the pyramid to the next (SeetaFace's own default).
const SCALE_STEP: f32 = 0.8;
/// Pixels of a level from one window to the next (SeetaFace's own default).
const WINDOW_STEP: usize = 4;
/// A window whose grey levels have a smaller standard deviation shows no face.
const MIN_DEVIATION: f64 = 10.0;
/// Windows that overlap more are merged before the networks judge them.
const MERGE: f32 = 0.8;

/// Finds frontal faces in grey pictures. Owns all memory that a picture takes. After the first picture
/// of a size it allocates only for more windows than ever before.
pub struct Cascade {
    arch: pulp::Arch,
    model: Model,
    resampler: Resampler,
    /// One level of the pyramid.
    level: Vec<u8>,
    features: FeatureMap,
    /// Offsets of a stage's features from the window's first pixel.
    offsets: Vec<u32>,
    alive: Vec<(u32, f32)>,
    /// The windows that each boosted stage lets through.
    proposals: Vec<Vec<Window>>,
    evaluator: Evaluator,
    windows: Vec<Window>,
}

impl Cascade {
    /// Reads the embedded model.
    ///
    /// # Errors
    /// Fails if the model is damaged, which a test excludes.
    pub fn new() -> Result<Self, ModelError> {
        let model = Model::read(MODEL)?;
        Ok(Self {
            arch: pulp::Arch::new(),
            proposals: model.boosted.iter().map(|_| Vec::new()).collect(),
            model,
            resampler: Resampler::default(),
            level: Vec::new(),
            features: FeatureMap::default(),
            offsets: Vec::new(),
            alive: Vec::new(),
            evaluator: Evaluator::default(),
            windows: Vec::new(),
        })
    }

    /// Finds the faces of a picture, given row by row without gaps. Each face is a square, which may
    /// leave the picture, with its votes: the sum of the scores, 0.5..=1, of the windows that found it.
    ///
    /// # Panics
    /// Panics if `pixels` has fewer pixels than `size`.
    pub fn find(&mut self, pixels: &[u8], size: Size, mut found: impl FnMut(PixelRect, f32)) {
        let picture =
            Picture { pixels: &pixels[..size.width as usize * size.height as usize], size };
        self.propose(&picture);
        self.windows.clear();
        for proposals in &mut self.proposals {
            merge(proposals, MERGE);
            self.windows.append(proposals);
        }
        for network in &self.model.networks {
            judge(
                self.arch,
                network,
                &picture,
                (&mut self.resampler, &mut self.evaluator),
                &mut self.windows,
            );
            if let Some(most) = network.merge {
                merge(&mut self.windows, most);
            }
        }
        for window in &self.windows {
            found(window.rect(), window.score as f32);
        }
    }

    /// Judges every window of every level with the boosted stages.
    fn propose(&mut self, picture: &Picture<'_>) {
        let Size { width, height } = picture.size;
        let least = WINDOW as f32 / width.min(height) as f32;
        let mut scale = 1.0;
        while scale >= least {
            let side = |side: u32| (side as f32 * scale) as u32;
            let size = Size::new(side(width), side(height));
            // Rounding may make the last level a pixel too small.
            if size.width.min(size.height) < WINDOW as u32 {
                break;
            }
            self.level.resize(size.width as usize * size.height as usize, 0);
            let whole = PixelRect::full(picture.size);
            self.resampler.resample(self.arch, picture, whole, size, &mut self.level);
            self.scan(size, scale);
            scale *= SCALE_STEP;
        }
    }

    fn scan(&mut self, size: Size, scale: f32) {
        let (width, height) = (size.width as usize, size.height as usize);
        let features = self.features.compute(self.arch, &self.level, size);
        let to_picture = |place: usize| (place as f32 / scale + 0.5) as u32;
        for (stage, proposals) in self.model.boosted.iter().zip(&mut self.proposals) {
            self.offsets.clear();
            self.offsets.extend(stage.positions.iter().map(|(x, y)| (y * width + x) as u32));
            for y in (0..=height - WINDOW).step_by(WINDOW_STEP) {
                let first = y * width;
                let alive = &mut self.alive;
                alive.clear();
                alive.extend((0..=width - WINDOW).step_by(WINDOW_STEP).map(|x| (x as u32, 0.0)));
                sieve(stage, &self.offsets, &features[first..], alive);
                for &(x, score) in &*alive {
                    let x = x as usize;
                    if deviation(&self.level[first + x..], width) > MIN_DEVIATION {
                        let (x, y) = (to_picture(x) as i32, to_picture(y) as i32);
                        proposals.push(Window::new(x, y, to_picture(WINDOW), score));
                    }
                }
            }
        }
    }
}

/// Keeps the windows (column and score) of one row whose score is high enough after each group of
/// features. It goes group by group, not window by window, so that a group's weights stay cached.
fn sieve(stage: &Boosted, offsets: &[u32], features: &[u8], alive: &mut Vec<(u32, f32)>) {
    let groups = stage.weights.as_chunks::<GROUP>().0.iter().zip(offsets.as_chunks::<GROUP>().0);
    for ((weights, offsets), threshold) in groups.zip(&stage.thresholds) {
        let mut kept = 0;
        for next in 0..alive.len() {
            let (x, mut score) = alive[next];
            for (weights, offset) in weights.iter().zip(offsets) {
                score += weights[usize::from(features[(x + offset) as usize])];
            }
            alive[kept] = (x, score);
            kept += usize::from(score >= *threshold);
        }
        alive.truncate(kept);
    }
}

/// Standard deviation of the window at the start of `pixels`, in a picture of this width.
fn deviation(pixels: &[u8], width: usize) -> f64 {
    let (mut sum, mut squares) = (0u32, 0u32);
    for row in pixels.chunks(width).take(WINDOW) {
        for &pixel in &row[..WINDOW] {
            sum += u32::from(pixel);
            squares += u32::from(pixel) * u32::from(pixel);
        }
    }
    let area = (WINDOW * WINDOW) as f64;
    let mean = f64::from(sum) / area;
    (f64::from(squares) / area - mean * mean).sqrt()
}

/// Keeps the windows that the network accepts as faces, and corrects their positions.
fn judge(
    arch: pulp::Arch,
    network: &Network,
    picture: &Picture<'_>,
    (resampler, evaluator): (&mut Resampler, &mut Evaluator),
    windows: &mut Vec<Window>,
) {
    windows.retain_mut(|window| {
        let rect = window.rect();
        // A window outside the picture shows nothing, and resampling needs two pixels.
        if rect.clipped(picture.size).is_empty() || rect.width < 2 {
            return false;
        }
        let size = Size::new(WINDOW as u32, WINDOW as u32);
        resampler.resample(arch, picture, rect, size, evaluator.pixels.as_flattened_mut());
        let told = evaluator.evaluate(arch, network);
        *window = window.moved(told);
        told[0] > network.threshold
    });
}
