//! The detector's numbers: reads and checks SeetaFace's file `seeta_fd_frontal_v1.0.bin`, so that no
//! number in it leads an evaluation out of its memory.
//!
//! Everything is little-endian, integers and floats of 32 bits. A file is a count of levels; a level
//! is a count of cascades; a cascade is a count of stages, the stages, and the list of the cascades
//! before whose windows it takes (a count and that many numbers).
//!
//! | stage | fields |
//! |---|---|
//! | boosted (kind 0) | count `n`, largest feature `b`, `n` positions (x, y), `n` thresholds, `n` tables of `b + 1` weights |
//! | network (kind 1) | count of layers with the input, count `n` of features, their `n` numbers from 1, threshold, input's length, and for each layer: length, weights row by row, biases |

use super::surf::{self, VECTOR, WINDOW};

/// The embedded model, from the package of `rustface` (see `build.rs`).
pub(super) const MODEL: &[u8] = include_bytes!(env!("GAZE_FRONTAL"));
/// The side of the square that a feature of a boosted stage covers.
pub(super) const LAB_SIDE: usize = 9;
/// Features of a boosted stage between two comparisons with the threshold.
pub(super) const GROUP: usize = 10;
/// No list in the file is longer; a larger count means a damaged file.
const MAX_COUNT: usize = 1 << 12;
/// Windows that overlap more are merged: between two stages of a cascade, and at the end.
const MERGE: [f32; 2] = [0.8, 0.3];

/// Why some bytes are not a detector's model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The bytes end before the model, or go on after it.
    #[error(
        "the embedded face detector is damaged: its file is {got} bytes longer (shorter if negative) than its contents; rebuild it"
    )]
    Length {
        /// Bytes left over; negative for missing ones.
        got: i64,
    },
    /// A number is impossible.
    #[error(
        "the embedded face detector is damaged: its file has {got} as {what} at byte {at}; rebuild it"
    )]
    Value {
        /// The meaning of the number.
        what: &'static str,
        /// Its value.
        got: i32,
        /// The byte after it.
        at: usize,
    },
}

/// A boosted stage: a table of weights for each feature.
#[derive(Debug)]
pub(super) struct Boosted {
    /// Column and row in the window.
    pub positions: Vec<(usize, usize)>,
    /// The weight of each value of each feature.
    pub weights: Vec<[f32; 256]>,
    /// The least sum after each group.
    pub thresholds: Vec<f32>,
}

/// One layer of a network.
#[derive(Debug)]
pub(super) struct Layer {
    pub inputs: usize,
    /// Row by row, one for each output.
    pub weights: Vec<f32>,
    pub biases: Vec<f32>,
}

/// A network on the features of a window: gives a score, and a correction of the window.
#[derive(Debug)]
pub(super) struct Network {
    /// Positions in [`surf::patches`].
    pub features: Vec<usize>,
    /// The score of a face is above this.
    pub threshold: f32,
    /// At least one; the last has [`OUTPUTS`].
    pub layers: Vec<Layer>,
    /// Windows that overlap more than this are merged after it.
    pub merge: Option<f32>,
}

/// Outputs of a network: score, shift to the right, shift down, size.
pub(super) const OUTPUTS: usize = 4;

/// The whole cascade: the boosted stages judge every window, then the networks judge, one after the
/// other, each window that passed any of them.
#[derive(Debug)]
pub(super) struct Model {
    pub boosted: Vec<Boosted>,
    pub networks: Vec<Network>,
}

impl Model {
    pub fn read(bytes: &[u8]) -> Result<Self, ModelError> {
        let mut file = Reader { bytes, at: 0 };
        let mut model = Self { boosted: Vec::new(), networks: Vec::new() };
        let levels = file.count("count of levels", 2)?;
        for level in 0..levels {
            let cascades = file.count("count of cascades", 1)?;
            for _ in 0..cascades {
                let stages = file.count("count of stages", 1)?;
                for stage in 0..stages {
                    match (level, file.integer()?) {
                        (0, 0) if stages == 1 => model.boosted.push(file.boosted()?),
                        (1.., 1) if cascades == 1 => {
                            let merge = match (stage + 1 == stages, level + 1 == levels) {
                                (false, _) => Some(MERGE[0]),
                                (true, true) => Some(MERGE[1]),
                                (true, false) => None,
                            };
                            model.networks.push(Network { merge, ..file.network()? });
                        }
                        (_, kind) => return Err(file.wrong("kind of stage", kind)),
                    }
                }
                // Each level takes all windows of the one before; the first has none, which is -1.
                let sources = match level {
                    0 => -1,
                    1 => model.boosted.len() as i32,
                    _ => 1,
                };
                file.exactly("count of sources", sources)?;
                for source in 0..sources {
                    file.exactly("source", source)?;
                }
            }
        }
        match file.bytes.len() - file.at {
            0 => Ok(model),
            left => Err(ModelError::Length { got: left as i64 }),
        }
    }
}

/// Reads a file number by number.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn word(&mut self) -> Result<[u8; 4], ModelError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let word = rest.first_chunk().copied();
        self.at += 4;
        word.ok_or(ModelError::Length { got: self.bytes.len() as i64 - self.at as i64 })
    }

    fn integer(&mut self) -> Result<i32, ModelError> {
        self.word().map(i32::from_le_bytes)
    }

    fn floats(&mut self, count: usize) -> Result<Vec<f32>, ModelError> {
        let rest = self.bytes.len().saturating_sub(self.at) / 4;
        let mut floats = Vec::with_capacity(count.min(rest));
        for _ in 0..count {
            let value = f32::from_le_bytes(self.word()?);
            if !value.is_finite() {
                return Err(self.wrong("float", value.to_bits() as i32));
            }
            floats.push(value);
        }
        Ok(floats)
    }

    fn wrong(&self, what: &'static str, got: i32) -> ModelError {
        ModelError::Value { what, got, at: self.at }
    }

    fn within(
        &mut self,
        what: &'static str,
        least: usize,
        most: usize,
    ) -> Result<usize, ModelError> {
        let value = self.integer()?;
        let good = usize::try_from(value).ok().filter(|v| (least..=most).contains(v));
        good.ok_or_else(|| self.wrong(what, value))
    }

    fn count(&mut self, what: &'static str, least: usize) -> Result<usize, ModelError> {
        self.within(what, least, MAX_COUNT)
    }

    fn exactly(&mut self, what: &'static str, value: i32) -> Result<(), ModelError> {
        match self.integer()? {
            found if found == value => Ok(()),
            found => Err(self.wrong(what, found)),
        }
    }

    fn boosted(&mut self) -> Result<Boosted, ModelError> {
        let count = self.count("count of features", GROUP)?;
        if !count.is_multiple_of(GROUP) {
            return Err(self.wrong("count of features", count as i32));
        }
        self.exactly("largest feature", 255)?;
        let mut place = || self.within("place of a feature", 0, WINDOW - LAB_SIDE);
        let positions =
            (0..count).map(|_| Ok((place()?, place()?))).collect::<Result<Vec<_>, ModelError>>()?;
        let thresholds = self.floats(count)?.into_iter().skip(GROUP - 1).step_by(GROUP).collect();
        let weights = self.floats(count * 256)?.as_chunks::<256>().0.to_vec();
        Ok(Boosted { positions, weights, thresholds })
    }

    fn network(&mut self) -> Result<Network, ModelError> {
        let layers = self.count("count of layers", 2)?;
        let count = self.count("count of features", 1)?;
        let features = (0..count)
            .map(|_| Ok(self.within("feature", 1, surf::patches().len())? - 1))
            .collect::<Result<Vec<_>, ModelError>>()?;
        let threshold = self.floats(1)?[0];
        let mut inputs = count * VECTOR;
        self.exactly("length of the input", inputs as i32)?;
        let layers = (1..layers)
            .map(|layer| {
                let outputs = self.count("length of a layer", 1)?;
                if layer + 1 == layers && outputs != OUTPUTS {
                    return Err(self.wrong("length of the output", outputs as i32));
                }
                let weights = self.floats(inputs * outputs)?;
                let layer = Layer { inputs, weights, biases: self.floats(outputs)? };
                inputs = outputs;
                Ok(layer)
            })
            .collect::<Result<Vec<_>, ModelError>>()?;
        Ok(Network { features, threshold, layers, merge: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_file() {
        let model = Model::read(MODEL).unwrap();
        // The shape that Wu et al. give: three boosted detectors for three ranges of poses, two
        // coarse networks for all, and a fine one at the end.
        assert_eq!(model.boosted.iter().map(|b| b.positions.len()).collect::<Vec<_>>(), [150; 3]);
        let shape = |n: &Network| (n.features.len(), n.layers.len(), n.merge);
        let shapes: Vec<_> = model.networks.iter().map(shape).collect();
        assert_eq!(shapes, [(4, 2, Some(0.8)), (8, 2, None), (16, 4, Some(0.3))]);
    }

    #[test]
    fn broken_files_are_refused() {
        for length in [0, 3, 4, 1000, MODEL.len() - 4, MODEL.len() - 1] {
            let error = Model::read(&MODEL[..length]).unwrap_err();
            assert!(matches!(error, ModelError::Length { got } if got < 0), "{length}: {error}");
        }
        let longer = [MODEL, &[0; 4]].concat();
        assert_eq!(Model::read(&longer).unwrap_err(), ModelError::Length { got: 4 });
        // Any number of the first hundred replaced by one that cannot be there: never a panic, and
        // an error wherever the number leads anywhere.
        for word in 0..100 {
            for value in [-1, 32, 1 << 20, i32::MAX, i32::MIN] {
                let mut bytes = MODEL.to_vec();
                bytes[word * 4..word * 4 + 4].copy_from_slice(&value.to_le_bytes());
                assert!(Model::read(&bytes).is_err(), "word {word} = {value}");
            }
        }
    }
}
