//! Whether a driver can be judged, and why not.

use std::time::Duration;

use super::alarm::Reason;
use super::glance::reached;

/// When it is said that a driver cannot be judged, and that it is over.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Time without usable gaze.
    pub after: Duration,
    /// Time with usable gaze.
    pub back: Duration,
    /// Interruptions that do not count.
    pub tolerance: Duration,
}

/// Follows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Presence {
    /// Since when the driver has not been seen, and why.
    lost: Option<(Duration, Reason)>,
    /// Since when the driver has been seen, short interruptions left out.
    since: Option<Duration>,
    reason: Option<Reason>,
}

impl Presence {
    /// Why the driver cannot be judged; `None` where he can.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// Takes the frame at `at`, in which the driver was seen or not. Tells a change: the reason
    /// now, and since when.
    pub fn see(
        &mut self,
        at: Duration,
        seen: Result<(), Reason>,
        patience: Patience,
    ) -> Option<(Option<Reason>, Duration)> {
        // The time before this frame first: what it shows does not undo it.
        let gone = self.lost.map(|(since, _)| at.saturating_sub(since)).unwrap_or_default();
        if gone > patience.tolerance {
            self.since = None;
        }
        let mut change = None;
        if let Some((since, reason)) = self.lost
            && self.reason.is_none()
            && reached(gone, patience.after)
        {
            self.reason = Some(reason);
            change = Some((self.reason, since));
        }
        match seen {
            Ok(()) => {
                self.lost = None;
                let since = *self.since.get_or_insert(at);
                if self.reason.is_some() && reached(at.saturating_sub(since), patience.back) {
                    self.reason = None;
                    change = Some((None, since));
                }
            }
            Err(reason) => self.lost = Some((self.lost.map_or(at, |(since, _)| since), reason)),
        }
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        after: Duration::from_secs(5),
        back: Duration::from_secs(1),
        tolerance: Duration::from_millis(300),
    };

    #[test]
    fn said_in_time_and_taken_back_in_time() {
        let mut presence = Presence::default();
        let ms = Duration::from_millis;
        let mut changes = Vec::new();
        for frame in 0..200u64 {
            let seen = match frame {
                0..20 | 80..83 | 100..200 => Ok(()),
                _ => Err(Reason::NoFace),
            };
            changes.extend(presence.see(ms(frame * 100), seen, PATIENCE).map(|c| (frame, c)));
        }
        assert_eq!(changes, [(70, (Some(Reason::NoFace), ms(2000))), (110, (None, ms(10_000))),]);
    }

    #[test]
    fn never_seen_is_missed_too() {
        let mut presence = Presence::default();
        let s = Duration::from_secs;
        assert_eq!(presence.see(s(100), Err(Reason::NoData), PATIENCE), None);
        let told = presence.see(s(105), Err(Reason::NoData), PATIENCE);
        assert_eq!(told, Some((Some(Reason::NoData), s(100))));
    }
}
