//! What a face lacks for a gaze model.

/// What a gaze model needs of a face besides its box, and the face lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MissingAttributes {
    /// The corners of the eyes.
    pub eyes: bool,
    /// The head's pose.
    pub head_pose: bool,
}

impl MissingAttributes {
    /// Whether the face lacks anything.
    pub const fn any(self) -> bool {
        self.eyes || self.head_pose
    }

    /// What one face or the other lacks.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self { eyes: self.eyes || other.eyes, head_pose: self.head_pose || other.head_pose }
    }
}
