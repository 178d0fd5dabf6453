//! Whether a stream's pictures are made on the GPU that has the frames, and if not, why not.

use crate::core::gaze::estimator::GazeEstimator;
use crate::nvidia::gpu::{GpuFrameError, GpuPictures};

/// The way of a stream's pictures.
#[derive(Default)]
pub(super) struct GpuPath {
    state: State,
    /// The GPU that made the last pictures.
    made_on: Option<u32>,
    /// Why they are made on the CPU, until it was told.
    refusal: Option<String>,
}

#[derive(Default)]
enum State {
    /// Not asked yet.
    #[default]
    Unknown,
    /// The GPU makes them.
    Ready(Box<GpuPictures>),
    /// The CPU does.
    Refused,
}

impl GpuPath {
    /// Other frames or another model may have another way.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Who makes pictures on the GPU, for frames that are in a GPU's memory; `None` where the model
    /// runs elsewhere, or the GPU refused.
    pub fn pictures(&mut self, estimator: &mut GazeEstimator) -> Option<&mut GpuPictures> {
        if matches!(self.state, State::Unknown) {
            self.state = self.open(estimator);
        }
        match &mut self.state {
            State::Ready(pictures) => Some(pictures),
            State::Unknown | State::Refused => None,
        }
    }

    fn open(&mut self, estimator: &mut GazeEstimator) -> State {
        let Some(gpu) = estimator.device() else {
            // Of a model on the CPU nothing is to be told.
            if ["cuda", "tensorrt"].contains(&estimator.provider()) {
                let why = "with batch-timeout, batches are gathered in the host's memory";
                self.refusal = Some(why.to_owned());
            }
            return State::Refused;
        };
        let opened =
            GpuPictures::new(gpu).map_err(|why| why.to_string()).and_then(
                |pictures| match estimator.prepare_device() {
                    Ok(()) => Ok(pictures),
                    Err(why) => Err(why.to_string()),
                },
            );
        match opened {
            Ok(pictures) => State::Ready(Box::new(pictures)),
            Err(why) => {
                self.refusal = Some(why);
                State::Refused
            }
        }
    }

    /// The last frame's pictures were made on this GPU.
    pub fn made_on(&mut self, gpu: u32) {
        self.made_on = Some(gpu);
    }

    /// A frame does not go this way.
    pub fn refuse(&mut self, why: &GpuFrameError) {
        // A broken frame is told of by the CPU, which does not read it either; of others all will
        // be alike.
        if !matches!(why, GpuFrameError::Surface(_) | GpuFrameError::Frame(_)) {
            self.refusal = Some(why.to_string());
            self.state = State::Refused;
        }
        self.made_on = None;
    }

    /// The GPU that made the last pictures; `None` where the CPU did.
    pub fn maker(&self) -> Option<u32> {
        self.made_on
    }

    /// Why the CPU makes them although the model runs on a GPU; told once.
    pub fn take_refusal(&mut self) -> Option<String> {
        self.refusal.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lasting_is_told_once_and_not_tried_again() {
        let mut path = GpuPath::default();
        path.made_on(0);
        path.refuse(&GpuFrameError::Surface(crate::nvidia::surface::SurfaceError::NoList));
        assert_eq!((path.maker(), path.take_refusal()), (None, None));
        assert!(matches!(path.state, State::Unknown), "the next frame may be well");
        path.refuse(&GpuFrameError::OtherGpu { frame: 1, model: 0 });
        assert!(matches!(path.state, State::Refused));
        let told = path.take_refusal().unwrap();
        assert!(told.contains("GPU 1") && told.contains("GPU 0"), "{told}");
        assert_eq!(path.take_refusal(), None);
        path.reset();
        assert!(matches!(path.state, State::Unknown));
    }
}
