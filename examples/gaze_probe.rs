//! Prints the gaze of each face, with the `gstreamer` crate alone. It uses nothing of this crate, so
//! the same code works in any program.
//!
//! ```text
//! GST_PLUGIN_PATH=target/release cargo run --release --example gaze_probe -- \
//!     'filesrc location=in.mp4 ! decodebin ! videoconvert ! gazeface engine=yunet.onnx !
//!      gazeinfer engine=gaze.onnx ! fakesink name=probe'
//! ```
//!
//! The program reads the buffers at the element named `probe`. README.md lists the fields of
//! GazeMeta. Angles are in radians; positive pitch is up, positive yaw the image's left.

use std::io::{self, Write};

use gst::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [description] = arguments.as_slice() else {
        return Err("usage: gaze_probe 'PIPELINE ! fakesink name=probe'".into());
    };
    gst::init()?;
    let pipeline = gst::parse::launch(description)?
        .downcast::<gst::Pipeline>()
        .map_err(|_| "give a pipeline of several elements")?;
    let pad = pipeline
        .by_name("probe")
        .and_then(|probe| probe.static_pad("sink"))
        .ok_or("the pipeline has no element named probe with a sink pad")?;
    let bus = pipeline.bus().ok_or("a pipeline has a bus")?;
    let end = bus.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_pad, info| {
        let printed = info.buffer().map_or(Ok(()), |buffer| print_gaze(buffer, &mut io::stdout()));
        if printed.is_ok() {
            return gst::PadProbeReturn::Ok;
        }
        // A reader that has seen enough closes the pipe (`| head`): the program ends quietly. Posting
        // fails only where it has ended already.
        let _ = end.post(gst::message::Eos::new());
        gst::PadProbeReturn::Remove
    });

    // The bus has the reason of a failure.
    let _ = pipeline.set_state(gst::State::Playing);
    let wanted = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(gst::ClockTime::NONE, &wanted);
    pipeline.set_state(gst::State::Null)?;
    match message.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(error)) => Err(error.error().into()),
        _ => Ok(()),
    }
}

fn print_gaze(buffer: &gst::BufferRef, out: &mut impl Write) -> io::Result<()> {
    // GStreamer warns about the lookup of a name that is not registered yet.
    if !gst::meta::CustomMeta::is_registered("GazeMeta") {
        return Ok(());
    }
    let Ok(meta) = gst::meta::CustomMeta::from_buffer(buffer, "GazeMeta") else {
        return Ok(()); // gazeinfer did not process this frame
    };
    let Ok(faces) = meta.structure().get::<gst::ArrayRef>("faces") else { return Ok(()) };
    writeln!(out, "{}: {} faces", buffer.pts().display(), faces.len())?;
    for face in faces.as_slice() {
        if let Ok(face) = face.get::<gst::Structure>() {
            print_face(&face, out)?;
        }
    }
    Ok(())
}

fn print_face(face: &gst::StructureRef, out: &mut impl Write) -> io::Result<()> {
    let number = |name| face.get::<f64>(name).ok();
    let [Some(x), Some(y), Some(w), Some(h)] = ["x", "y", "w", "h"].map(number) else {
        return Ok(());
    };
    write!(out, "  face {w:.0}x{h:.0} at ({x:.0}, {y:.0})")?;
    // A face always has a box; the rest may be absent.
    if let Ok(id) = face.get::<u64>("track-id") {
        write!(out, " id {id}")?;
    }
    if let (Some(pitch), Some(yaw)) = (number("pitch"), number("yaw")) {
        write!(out, " pitch {pitch:+.3} yaw {yaw:+.3}")?;
    }
    writeln!(out)
}
