//! Whether somebody looks away with the head or with the eyes.

use std::time::Duration;

use super::alarm::Movement;
use crate::core::gaze::{Gaze, HeadPose};

/// A head that turned by more is an owl's, degrees.
const OWL: f32 = 10.0;

/// How slowly the head's rest position follows, seconds.
const REST: f32 = 10.0;

/// Follows the head: where it rests while the driver looks at the road, and how far it turned since.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head {
    rest: Option<Gaze>,
    turned: Option<f32>,
}

impl Head {
    /// Takes an interval with this pose, spent looking at the road or not.
    pub fn advance(&mut self, dt: Duration, pose: HeadPose, on_road: bool) {
        let pose = Gaze::new(pose.pitch, pose.yaw);
        if on_road {
            let rest = self.rest.get_or_insert(pose);
            let part = 1.0 - (-dt.as_secs_f32() / REST).exp();
            rest.pitch += part * (pose.pitch - rest.pitch);
            rest.yaw += part * (pose.yaw - rest.yaw);
            self.turned = None;
        } else if let Some(rest) = self.rest {
            let turn = pose.angle_to(rest).to_degrees();
            self.turned = Some(self.turned.unwrap_or(0.0).max(turn));
        }
    }

    /// How the driver looks away.
    pub fn movement(&self) -> Movement {
        match self.turned {
            Some(turned) if turned > OWL => Movement::Owl,
            Some(_) => Movement::Lizard,
            None => Movement::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owls_and_lizards() {
        let pose = |yaw: f32| HeadPose { yaw: yaw.to_radians(), ..HeadPose::default() };
        let dt = Duration::from_millis(40);
        let mut head = Head::default();
        head.advance(dt, pose(-18.0), true);
        assert_eq!(head.movement(), Movement::Unknown);
        head.advance(dt, pose(-10.0), false);
        assert_eq!(head.movement(), Movement::Lizard);
        head.advance(dt, pose(5.0), false);
        head.advance(dt, pose(-10.0), false);
        assert_eq!(head.movement(), Movement::Owl);
    }
}
