#!/usr/bin/env python3
"""Prints the gaze of each face, and behind gazemonitor the driver's attention, with GStreamer's own
Python bindings alone.

    apt install python3-gst-1.0
    GST_PLUGIN_PATH=target/release python3 examples/gaze_probe.py \
        'filesrc location=in.mp4 ! decodebin ! videoconvert ! gazeface engine=yunet.onnx !
         gazeinfer engine=gaze.onnx ! fakesink name=probe'

The program reads the buffers at the element named "probe". README.md lists the fields of GazeMeta
and AttentionMeta. Angles are in radians; positive pitch is up, positive yaw the image's left.

Two things to know, both true of GStreamer 1.22 to 1.26:
- PyGObject alone is not enough: the package python3-gst-1.0 turns the nested array of faces into a
  Gst.ValueArray of Gst.Structure.
- get_structure() returns a read-only view of the metadata; keep the numbers, not the structure, once
  the buffer is gone.
"""

import signal
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402


def meta_of(buffer, name):
    """The fields of a custom meta as a dictionary; None if the buffer has none."""
    # GStreamer warns about the lookup of a name that is not registered yet.
    meta = buffer.get_custom_meta(name) if Gst.Meta.get_info(name) else None
    return None if meta is None else fields(meta.get_structure())


def gaze_of(buffer):
    """GazeMeta as a dictionary with a list of dictionaries; None without the meta."""
    gaze = meta_of(buffer, "GazeMeta")
    if gaze is not None:
        gaze["faces"] = [fields(face) for face in gaze["faces"]]
    return gaze


def fields(structure):
    names = (structure.nth_field_name(i) for i in range(structure.n_fields()))
    return {name: structure.get_value(name) for name in names}


def on_buffer(_pad, info):
    buffer = info.get_buffer()
    gaze = gaze_of(buffer)
    if gaze is None:
        return Gst.PadProbeReturn.OK
    print(f"{buffer.pts / Gst.SECOND:.3f} s: {len(gaze['faces'])} faces")
    for face in gaze["faces"]:
        text = f"  face {face['w']:.0f}x{face['h']:.0f} at ({face['x']:.0f}, {face['y']:.0f})"
        # A face always has a box; the rest may be absent.
        if "track-id" in face:
            text += f" id {face['track-id']}"
        if "pitch" in face:
            text += f" pitch {face['pitch']:+.3f} yaw {face['yaw']:+.3f}"
        print(text)
    attention = meta_of(buffer, "AttentionMeta")
    if attention is not None:
        text = f"  attention {attention['state']}, level {attention['level']}"
        # Absent while unknown, for example while the driver is out of sight.
        if "zone" in attention:
            text += f", looks at {attention['zone']}"
        alarms = list(attention["alarms"])
        print(text + (f", alarms {', '.join(alarms)}" if alarms else ""))
    return Gst.PadProbeReturn.OK


def main():
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} 'PIPELINE ! fakesink name=probe'", file=sys.stderr)
        return 2
    # A reader that has seen enough closes the pipe (`| head`): end quietly, as other programs do.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    Gst.init(None)
    pipeline = Gst.parse_launch(sys.argv[1])
    probe = pipeline.get_by_name("probe") if isinstance(pipeline, Gst.Bin) else None
    pad = probe.get_static_pad("sink") if probe else None
    if pad is None:
        print("the pipeline has no element named probe with a sink pad", file=sys.stderr)
        return 2
    pad.add_probe(Gst.PadProbeType.BUFFER, on_buffer)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR
    )
    failed = message.type == Gst.MessageType.ERROR
    if failed:
        print(f"{message.src.get_name()}: {message.parse_error()[0].message}", file=sys.stderr)
    pipeline.set_state(Gst.State.NULL)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
