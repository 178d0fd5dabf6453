//! Which of the faces is the driver's.

use crate::core::estimator::GazeEstimate;
use crate::core::geometry::{Rect, Size};

/// How much larger another face must be to take the driver's place. A passenger who leans forward
/// for a moment does not.
const LARGER: f32 = 1.5;

/// What tells the driver's face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum DriverBy {
    /// The largest.
    #[default]
    Size,
    /// The largest whose centre lies in this part of the frame: x, y, width and height as fractions.
    Region([f32; 4]),
    /// The one with this track id.
    Track(u64),
}

/// Keeps to one face.
#[derive(Clone, Copy, Debug, Default)]
pub struct DriverChoice {
    track: Option<u64>,
}

impl DriverChoice {
    /// Forgets whom it kept to.
    pub fn reset(&mut self) {
        self.track = None;
    }

    /// The position of the driver's face among those of a frame of `size`. A face that is tracked
    /// stays the driver's until another one is half as large again.
    pub fn choose(&mut self, faces: &[GazeEstimate], size: Size, by: DriverBy) -> Option<usize> {
        if let DriverBy::Track(id) = by {
            return faces.iter().position(|face| face.region.track_id == Some(id));
        }
        let seat = match by {
            DriverBy::Region([x, y, w, h]) => {
                let (width, height) = (size.width as f32, size.height as f32);
                Some(Rect::new(x * width, y * height, w * width, h * height))
            }
            _ => None,
        };
        let candidate = |face: &GazeEstimate| {
            let rect = face.region.rect;
            let (x, y) = (rect.x + rect.width / 2.0, rect.y + rect.height / 2.0);
            let seated = seat.is_none_or(|seat| {
                (seat.x..=seat.right()).contains(&x) && (seat.y..=seat.bottom()).contains(&y)
            });
            seated && !rect.is_empty()
        };
        let area = |i: usize| faces[i].region.rect.area();
        let among = (0..faces.len()).filter(|i| candidate(&faces[*i]));
        let kept = self.track.and_then(|id| {
            (0..faces.len())
                .find(|i| faces[*i].region.track_id == Some(id) && candidate(&faces[*i]))
        });
        let largest = among.max_by(|a, b| area(*a).total_cmp(&area(*b)))?;
        let chosen = kept.filter(|kept| area(largest) < LARGER * area(*kept)).unwrap_or(largest);
        self.track = faces[chosen].region.track_id;
        Some(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::region::FaceRegion;

    const SIZE: Size = Size::new(1000, 500);

    fn face(x: f32, side: f32, track_id: Option<u64>) -> GazeEstimate {
        let rect = Rect::new(x, 100.0, side, side);
        GazeEstimate {
            region: FaceRegion { rect, track_id, ..Default::default() },
            ..Default::default()
        }
    }

    #[test]
    fn the_largest_and_it_stays() {
        let mut choice = DriverChoice::default();
        let by = DriverBy::Size;
        let both =
            |driver, passenger| [face(100.0, driver, Some(1)), face(700.0, passenger, Some(2))];
        assert_eq!(choice.choose(&both(100.0, 80.0), SIZE, by), Some(0));
        assert_eq!(choice.choose(&both(100.0, 120.0), SIZE, by), Some(0));
        assert_eq!(choice.choose(&both(100.0, 130.0), SIZE, by), Some(1));
        assert_eq!(choice.choose(&[], SIZE, by), None);
        choice.reset();
        assert_eq!(choice.choose(&[GazeEstimate::default()], SIZE, by), None, "no box, no face");
    }

    #[test]
    fn a_seat_and_a_track() {
        let mut choice = DriverChoice::default();
        let faces = [face(100.0, 200.0, Some(1)), face(700.0, 80.0, Some(2))];
        let right = DriverBy::Region([0.5, 0.0, 0.5, 1.0]);
        assert_eq!(choice.choose(&faces, SIZE, right), Some(1));
        assert_eq!(choice.choose(&faces[..1], SIZE, right), None);
        assert_eq!(choice.choose(&faces, SIZE, DriverBy::Track(2)), Some(1));
        assert_eq!(choice.choose(&faces, SIZE, DriverBy::Track(7)), None);
    }
}
