//! Decides whether the GPU that holds the frames preprocesses them, and remembers why not.

use crate::core::gaze::estimator::GazeEstimator;
use crate::nvidia::gpu::{GpuFrameError, GpuPreprocessor};

/// Where a stream is preprocessed.
#[derive(Default)]
pub(super) struct GpuPath {
    state: GpuState,
    /// Why the CPU preprocesses, until it is reported.
    refusal: Option<String>,
}

#[derive(Default)]
enum GpuState {
    /// Not tried yet.
    #[default]
    Unknown,
    /// The GPU preprocesses.
    Ready(Box<GpuPreprocessor>),
    /// The CPU preprocesses.
    Refused,
}

impl GpuPath {
    /// Starts over: other frames or another model may go another way.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Returns the GPU that preprocesses frames in its memory; `None` if the model runs elsewhere, or
    /// the GPU refused.
    pub fn device(&mut self, estimator: &mut GazeEstimator) -> Option<&mut GpuPreprocessor> {
        if matches!(self.state, GpuState::Unknown) {
            self.state = self.open(estimator);
        }
        match &mut self.state {
            GpuState::Ready(preprocessor) => Some(preprocessor),
            GpuState::Unknown | GpuState::Refused => None,
        }
    }

    fn open(&mut self, estimator: &mut GazeEstimator) -> GpuState {
        let Some(gpu) = estimator.device() else {
            self.refusal = estimator.device_refusal().map(str::to_owned);
            return GpuState::Refused;
        };
        let opened =
            GpuPreprocessor::new(gpu).map_err(|why| why.to_string()).and_then(|preprocessor| {
                match estimator.prepare_device() {
                    Ok(()) => Ok(preprocessor),
                    Err(why) => Err(why.to_string()),
                }
            });
        match opened {
            Ok(preprocessor) => GpuState::Ready(Box::new(preprocessor)),
            Err(why) => {
                self.refusal = Some(why);
                GpuState::Refused
            }
        }
    }

    /// The GPU cannot take a frame.
    pub fn refuse(&mut self, why: &GpuFrameError) {
        // The CPU cannot read a broken frame either and reports it. Any other reason holds for all
        // frames.
        if !matches!(why, GpuFrameError::Surface(_) | GpuFrameError::Frame(_)) {
            self.refusal = Some(why.to_string());
            self.state = GpuState::Refused;
        }
    }

    /// Returns once why the CPU preprocesses although the model runs on a GPU.
    pub fn take_refusal(&mut self) -> Option<String> {
        self.refusal.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lasting_reason_is_reported_once_and_ends_the_attempts() {
        let mut path = GpuPath::default();
        path.refuse(&GpuFrameError::Surface(crate::nvidia::surface::SurfaceError::NoList));
        assert_eq!(path.take_refusal(), None);
        assert!(matches!(path.state, GpuState::Unknown), "the next frame may be sound");
        path.refuse(&GpuFrameError::OtherGpu { frame: 1, model: 0 });
        assert!(matches!(path.state, GpuState::Refused));
        let told = path.take_refusal().unwrap();
        assert!(told.contains("GPU 1") && told.contains("GPU 0"), "{told}");
        assert_eq!(path.take_refusal(), None);
        path.reset();
        assert!(matches!(path.state, GpuState::Unknown));
    }
}
