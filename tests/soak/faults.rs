//! The schedule: what happens to a stream in each round. Each fault ends where the next may begin;
//! that all is well after it is the caller's to see.

use super::materials::Engine;
use super::stream::{QUEUE, Stream};

/// One kind of fault, or of change.
pub struct Fault {
    pub name: &'static str,
    pub happen: fn(&mut Stream<'_>, u64) -> Result<(), String>,
}

/// Frames that a fault lasts.
const LENGTH: u64 = 30;

/// All of them; a round has each once.
pub const FAULTS: [Fault; 14] = [
    Fault { name: "source switch", happen: |stream, _| stream.switch_source() },
    Fault { name: "caps change", happen: |stream, _| stream.change_caps() },
    Fault { name: "truncated frames", happen: truncated },
    Fault { name: "noise", happen: noise },
    Fault { name: "gap frames", happen: gap_frames },
    Fault { name: "upstream stops", happen: upstream_stops },
    Fault { name: "stamps twice and back", happen: stamps },
    Fault { name: "engine reload", happen: reload },
    Fault { name: "reload of a broken engine", happen: broken_reload },
    Fault { name: "engine that gives no number", happen: not_a_number },
    Fault { name: "reader goes away", happen: reader_goes },
    Fault {
        name: "seek",
        happen: |stream, round| stream.seek(if round.is_multiple_of(2) { 60 } else { -60 }),
    },
    Fault { name: "EOS and restart", happen: restart },
    Fault { name: "paused", happen: paused },
];

/// Every third frame breaks off.
fn truncated(stream: &mut Stream<'_>, round: u64) -> Result<(), String> {
    for frame in 0..LENGTH {
        if frame % 3 == 0 {
            let buffer = stream.pictures().truncated(round * 31 + frame);
            stream.push_unusable(buffer)?;
        } else {
            stream.push_face()?;
        }
    }
    Ok(())
}

fn noise(stream: &mut Stream<'_>, round: u64) -> Result<(), String> {
    for frame in 0..LENGTH {
        let buffer = stream.pictures().noise(round * 64 + frame);
        stream.push(buffer)?;
    }
    Ok(())
}

/// Buffers of which the source says that there is nothing new in them.
fn gap_frames(stream: &mut Stream<'_>, _: u64) -> Result<(), String> {
    for _ in 0..LENGTH {
        let mut buffer = stream.next_face();
        buffer.make_mut().set_flags(gst::BufferFlags::GAP | gst::BufferFlags::DROPPABLE);
        stream.push_unusable(buffer)?;
    }
    Ok(())
}

/// Nothing comes for ten seconds of stream but word of it.
fn upstream_stops(stream: &mut Stream<'_>, _: u64) -> Result<(), String> {
    stream.settle()?;
    stream.gap(gst::ClockTime::from_seconds(10))?;
    stream.push_discont()
}

/// Stamps come twice, then in twos the wrong way round.
fn stamps(stream: &mut Stream<'_>, _: u64) -> Result<(), String> {
    for pair in 0..LENGTH / 2 {
        stream.push_pair(pair % 2 == 0)?;
    }
    Ok(())
}

/// The other engine file, then back.
fn reload(stream: &mut Stream<'_>, _: u64) -> Result<(), String> {
    stream.reload(Engine::Other)?;
    stream.reload(Engine::Main)
}

fn broken_reload(stream: &mut Stream<'_>, round: u64) -> Result<(), String> {
    stream.reload_refused(if round.is_multiple_of(2) { Engine::Broken } else { Engine::Missing })
}

fn not_a_number(stream: &mut Stream<'_>, _: u64) -> Result<(), String> {
    stream.reload(Engine::NotANumber)?;
    stream.steady(LENGTH)?;
    stream.reload(Engine::Main)
}

/// Away for some frames, in every fourth round for more than the publisher keeps lines for; then
/// there again, and the publisher finds it.
fn reader_goes(stream: &mut Stream<'_>, round: u64) -> Result<(), String> {
    let frames = if round % 4 == 3 { QUEUE + 2 * LENGTH } else { LENGTH };
    stream.without_reader(|stream| stream.steady(frames))
}

/// Every other round through NULL, with an engine first that does not start; else through READY.
fn restart(stream: &mut Stream<'_>, round: u64) -> Result<(), String> {
    stream.end_of_stream()?;
    if round.is_multiple_of(2) {
        stream.stop(gst::State::Null)?;
        stream.start_refused(Engine::Broken)?;
    } else {
        stream.stop(gst::State::Ready)?;
    }
    stream.play()
}

fn paused(stream: &mut Stream<'_>, _: u64) -> Result<(), String> {
    stream.settle()?;
    stream.pause()
}
