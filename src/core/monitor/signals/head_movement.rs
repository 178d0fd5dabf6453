//! Whether the driver looks away with the head or with the eyes.

use std::time::Duration;

use crate::core::geometry::angles::{Gaze, HeadPose};
use crate::core::monitor::alarms::alarm::Movement;

/// A head that turns by more than this moves as an owl's, degrees. This project's choice (Euro NCAP
/// names the two movements and no angle): twice what heads stray while eyes move.
const OWL: f32 = 10.0;

/// Time constant of the head's rest position, seconds. This project's choice: slower than any glance
/// at a mirror.
const REST: f32 = 10.0;

/// Follows the head: its rest position while the driver looks at the road, and how far it turned
/// since.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeadMovement {
    rest: Option<Gaze>,
    turned: Option<f32>,
}

impl HeadMovement {
    /// Takes an interval with this pose, with the gaze on the road or away.
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

    /// Whether a head in this pose is lowered from its rest position.
    pub fn is_lowered(&self, pose: HeadPose) -> bool {
        self.rest.is_some_and(|rest| (rest.pitch - pose.pitch).to_degrees() > OWL)
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
        let mut head = HeadMovement::default();
        head.advance(dt, pose(-18.0), true);
        assert_eq!(head.movement(), Movement::Unknown);
        head.advance(dt, pose(-10.0), false);
        assert_eq!(head.movement(), Movement::Lizard);
        head.advance(dt, pose(5.0), false);
        head.advance(dt, pose(-10.0), false);
        assert_eq!(head.movement(), Movement::Owl);
        let bowed = |degrees: f32| HeadPose { pitch: degrees.to_radians(), ..pose(-18.0) };
        assert!(head.is_lowered(bowed(-11.0)) && !head.is_lowered(bowed(-9.0)));
        assert!(
            !HeadMovement::default().is_lowered(bowed(-40.0)),
            "without a rest position no head is lowered"
        );
    }
}
