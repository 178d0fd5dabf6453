//! Track ids that occur twice in a frame.
//!
//! Trackers give each face an id of its own, but not everything that writes ids is a tracker: two
//! detectors count from the same number, and some writers put a class or a constant there. Two faces
//! with one id would share one gaze.

use super::region::FaceRegion;

/// Finds ids that several faces of a frame share. It reuses its memory.
#[derive(Debug, Default)]
pub struct SharedIds {
    sorted: Vec<u64>,
}

impl SharedIds {
    /// Takes the track id from each face that shares it with another face of the frame: such an id is no
    /// identity, and overlap decides in its place. Returns whether there was one.
    pub fn forget<T>(
        &mut self,
        faces: &mut [T],
        face_of: impl Fn(&mut T) -> &mut FaceRegion,
    ) -> bool {
        self.sorted.clear();
        self.sorted.extend(faces.iter_mut().filter_map(|face| face_of(face).track_id));
        self.sorted.sort_unstable();
        // What stays are the ids that occur twice or more, once for each further time.
        let mut last = None;
        self.sorted.retain(|id| last.replace(*id) == Some(*id));
        if self.sorted.is_empty() {
            return false;
        }
        for face in faces {
            let id = &mut face_of(face).track_id;
            *id = id.filter(|id| self.sorted.binary_search(id).is_err());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(ids: &[Option<u64>]) -> (bool, Vec<Option<u64>>) {
        let face = |id: &Option<u64>| FaceRegion { track_id: *id, ..Default::default() };
        let mut faces: Vec<_> = ids.iter().map(face).collect();
        let found = SharedIds::default().forget(&mut faces, |face| face);
        (found, faces.iter().map(|face| face.track_id).collect())
    }

    #[test]
    fn ids_that_occur_once_stay() {
        assert_eq!(after(&[]), (false, vec![]));
        assert_eq!(after(&[None, None]), (false, vec![None, None]));
        let ids = [Some(u64::MAX), None, Some(0), Some(1)];
        assert_eq!(after(&ids), (false, ids.to_vec()));
    }

    #[test]
    fn ids_that_occur_more_often_go() {
        let ids = [Some(7), Some(1), None, Some(7), Some(0), Some(0), Some(7)];
        assert_eq!(after(&ids), (true, vec![None, Some(1), None, None, None, None, None]));
    }
}
