//! What may happen to a stream: the means of the faults.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::materials::Engine;
use super::stream::{FRAME, PATIENCE, Stream, count};

impl Stream<'_> {
    /// The other source, whose frames are of another size and format.
    pub fn switch_source(&mut self) -> Result<(), String> {
        self.settle()?;
        self.source = 1 - self.source;
        self.ledger.source_switches += 1;
        self.select()
    }

    /// Another size and format of the same source, without waiting for what is under way.
    pub fn change_caps(&mut self) -> Result<(), String> {
        for _ in 0..2 {
            self.kind = 1 - self.kind;
            self.sources[self.source].set_caps(Some(&self.pictures().caps));
            self.ledger.caps_changes += 1;
            self.steady(20)?;
        }
        self.kind = 1 - self.kind;
        self.sources[self.source].set_caps(Some(&self.pictures().caps));
        self.ledger.caps_changes += 1;
        Ok(())
    }

    /// Says that nothing comes for so long.
    pub fn gap(&mut self, length: gst::ClockTime) -> Result<(), String> {
        let pad = self.sources[self.source].static_pad("src").ok_or("no pad")?;
        if !pad.push_event(gst::event::Gap::builder(self.stamp).duration(length).build()) {
            return Err("the gap was refused".to_owned());
        }
        self.stamp += length;
        Ok(())
    }

    /// Seeks by so many frames, with some in flight.
    pub fn seek(&mut self, frames: i64) -> Result<(), String> {
        self.steady(8)?;
        let by = FRAME * frames.unsigned_abs();
        self.stamp = if frames < 0 { self.stamp.saturating_sub(by) } else { self.stamp + by };
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
        let source = &self.sources[self.source];
        source.seek_simple(flags, self.stamp).map_err(|why| why.to_string())?;
        // Nothing from before the seek comes any more.
        self.seen.stamp.store(-1, Ordering::Release);
        let out = count(&self.seen.out);
        self.ledger.flushed = self.ledger.pushed - out;
        self.ledger.seeks += 1;
        self.look()
    }

    /// Asks for another engine and pushes frames until it runs.
    pub fn reload(&mut self, engine: Engine) -> Result<(), String> {
        self.ask_for(engine, "gaze-engine")?;
        self.ledger.reloads += 1;
        Ok(())
    }

    /// Asks for an engine that does not open, and pushes frames until that is said.
    pub fn reload_refused(&mut self, engine: Engine) -> Result<(), String> {
        self.ask_for(engine, "was not replaced")?;
        let runs: Option<String> = self.elements[1].property("engine");
        if runs.as_deref() != Some(self.materials.engine(Engine::Main)) {
            return Err(format!("{runs:?} runs"));
        }
        self.ledger.refused_reloads += 1;
        Ok(())
    }

    fn ask_for(&mut self, engine: Engine, answer: &str) -> Result<(), String> {
        let before = self.told(answer);
        self.elements[1].set_property("engine", self.materials.engine(engine));
        let begin = Instant::now();
        while self.told(answer) == before {
            if begin.elapsed() > PATIENCE {
                let warnings = &self.ledger.warnings;
                return Err(format!("no '{answer}' after {engine:?} was asked for: {warnings:?}"));
            }
            self.push_face()?;
            self.look()?;
        }
        Ok(())
    }

    fn told(&self, words: &str) -> u64 {
        let of = [&self.ledger.messages, &self.ledger.warnings];
        let found = of.into_iter().flatten().filter(|(kind, _)| kind.contains(words));
        found.map(|(_, count)| *count).sum()
    }

    /// What happens without a reader; afterwards the publisher finds the reader again.
    pub fn without_reader(
        &mut self,
        happens: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.settle()?;
        self.reader.leave();
        self.reader_away = true;
        self.ledger.reader_losses += 1;
        happens(self)?;
        self.reader.come()?;
        self.reader_away = false;
        self.settle()
    }

    /// Pauses with frames under way, of which the sink holds the first, and goes on.
    pub fn pause(&mut self) -> Result<(), String> {
        self.pipeline.set_state(gst::State::Paused).map_err(|_| self.last_words())?;
        self.steady(2)?;
        self.reach(gst::State::Paused)?;
        self.pipeline.set_state(gst::State::Playing).map_err(|_| self.last_words())?;
        self.reach(gst::State::Playing)
    }

    fn reach(&self, wanted: gst::State) -> Result<(), String> {
        let (done, state, _) = self.pipeline.state(gst::ClockTime::from_seconds(60));
        match done {
            Ok(_) if state == wanted => Ok(()),
            _ => Err(format!("{state:?} instead of {wanted:?}, {}", self.last_words())),
        }
    }

    /// Ends the stream and waits for its end.
    pub fn end_of_stream(&mut self) -> Result<(), String> {
        self.settle()?;
        self.eos = false;
        let flow = self.sources[self.source].end_of_stream();
        flow.map_err(|why| format!("{why:?}"))?;
        let begin = Instant::now();
        while !self.eos {
            if begin.elapsed() > PATIENCE {
                return Err("no EOS".to_owned());
            }
            std::thread::sleep(Duration::from_millis(1));
            self.look()?;
        }
        Ok(())
    }

    /// Stops, with what the elements have counted.
    pub fn stop(&mut self, state: gst::State) -> Result<(), String> {
        let inferences = |element: &gst::Element| {
            let stats = element.property::<gst::Structure>("stats");
            stats.get::<u64>("inferences").unwrap_or_default()
        };
        self.ledger.detections += inferences(&self.elements[0]);
        self.ledger.inferences += inferences(&self.elements[1]);
        self.pipeline.set_state(state).map_err(|_| self.last_words())?;
        self.reach(state)?;
        self.ledger.dropped += self.elements[2].property::<u64>("dropped");
        self.ledger.restarts += 1;
        self.look()
    }

    /// Tries to start with an engine that does not open.
    pub fn start_refused(&mut self, engine: Engine) -> Result<(), String> {
        self.elements[1].set_property("engine", self.materials.engine(engine));
        let errors = self.ledger.errors.values().sum::<u64>();
        self.refused_starts += 1;
        let _ = self.pipeline.set_state(gst::State::Playing);
        self.look()?;
        let told = self.ledger.errors.values().sum::<u64>() > errors;
        self.pipeline.set_state(gst::State::Null).map_err(|_| self.last_words())?;
        self.look()?;
        self.elements[1].set_property("engine", self.materials.engine(Engine::Main));
        if !told {
            return Err("no error says that the engine is broken".to_owned());
        }
        self.ledger.refused_starts += 1;
        Ok(())
    }
}
