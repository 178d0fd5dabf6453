//! What became of every frame, line and fault: counted, never sampled.

use std::collections::BTreeMap;

use super::faults::FAULTS;
use super::measure::{Latencies, TENTHS};

/// The books of one stream, or of all.
#[derive(Clone, Default)]
pub struct Ledger {
    /// Frames that the source took.
    pub pushed: u64,
    /// Of those: in flight when a seek flushed them away.
    pub flushed: u64,
    /// Frames that came out.
    pub out: u64,
    /// Of those: not to be looked at, because they are no frame or repeat one.
    pub unusable: u64,
    /// Of those that came out: with a result.
    pub results: u64,
    /// Of those: on frames that are not to be looked at, carried from one before.
    pub unusable_results: u64,
    /// Of those: with a face, and with a gaze that is a number.
    pub faces: u64,
    pub gazes: u64,
    /// Stamps that were not later than the one before, where they should have been.
    pub disorder: u64,
    /// Results that came to the publisher, whatever became of the frame behind it.
    pub offered: u64,
    /// Lines that the reader got, and those of them that are not JSON of the schema.
    pub lines: u64,
    pub broken_lines: u64,
    /// Lines that the publisher dropped, and says so.
    pub dropped: u64,
    /// Inferences of the detector and of the gaze model.
    pub detections: u64,
    pub inferences: u64,
    pub source_switches: u64,
    pub caps_changes: u64,
    pub reloads: u64,
    pub refused_reloads: u64,
    pub seeks: u64,
    pub restarts: u64,
    pub refused_starts: u64,
    pub reader_losses: u64,
    /// By fault: how often it came, and how often all was well after it.
    pub faults: [(u64, u64); FAULTS.len()],
    /// Warnings and errors by kind, and element messages by name.
    pub warnings: BTreeMap<String, u64>,
    pub errors: BTreeMap<String, u64>,
    pub messages: BTreeMap<String, u64>,
    /// Warnings of no scheduled fault.
    pub unexpected: BTreeMap<String, u64>,
    /// From the first element to the sink, by tenth of the run.
    pub latencies: [Latencies; TENTHS],
}

impl Ledger {
    /// Frames that went in and neither came out nor were flushed.
    pub fn lost_frames(&self) -> i64 {
        self.pushed as i64 - self.flushed as i64 - self.out as i64
    }

    /// Frames that came out without the result that they should have.
    pub fn lost_results(&self) -> i64 {
        (self.out - self.unusable) as i64 - (self.results - self.unusable_results) as i64
    }

    /// Lines that neither the reader got nor the publisher counted as dropped.
    pub fn lost_lines(&self) -> i64 {
        self.offered as i64 - self.dropped as i64 - self.lines as i64
    }

    /// Both together.
    pub fn and(mut self, other: Self) -> Self {
        let Self {
            pushed,
            flushed,
            out,
            unusable,
            results,
            unusable_results,
            offered,
            faces,
            gazes,
            disorder,
            lines,
            broken_lines,
            dropped,
            detections,
            inferences,
            source_switches,
            caps_changes,
            reloads,
            refused_reloads,
            seeks,
            restarts,
            refused_starts,
            reader_losses,
            faults,
            warnings,
            errors,
            messages,
            unexpected,
            latencies,
        } = other;
        for (sum, more) in [
            (&mut self.pushed, pushed),
            (&mut self.flushed, flushed),
            (&mut self.unusable, unusable),
            (&mut self.out, out),
            (&mut self.results, results),
            (&mut self.unusable_results, unusable_results),
            (&mut self.offered, offered),
            (&mut self.faces, faces),
            (&mut self.gazes, gazes),
            (&mut self.disorder, disorder),
            (&mut self.lines, lines),
            (&mut self.broken_lines, broken_lines),
            (&mut self.dropped, dropped),
            (&mut self.detections, detections),
            (&mut self.inferences, inferences),
            (&mut self.source_switches, source_switches),
            (&mut self.caps_changes, caps_changes),
            (&mut self.reloads, reloads),
            (&mut self.refused_reloads, refused_reloads),
            (&mut self.seeks, seeks),
            (&mut self.restarts, restarts),
            (&mut self.refused_starts, refused_starts),
            (&mut self.reader_losses, reader_losses),
        ] {
            *sum += more;
        }
        for (sum, (came, recovered)) in self.faults.iter_mut().zip(faults) {
            *sum = (sum.0 + came, sum.1 + recovered);
        }
        for (sums, more) in [
            (&mut self.warnings, warnings),
            (&mut self.errors, errors),
            (&mut self.messages, messages),
            (&mut self.unexpected, unexpected),
        ] {
            for (kind, count) in more {
                *sums.entry(kind).or_default() += count;
            }
        }
        self.latencies.iter_mut().zip(&latencies).for_each(|(sum, more)| sum.and(more));
        self
    }
}
