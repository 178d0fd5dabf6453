#!/usr/bin/env python3
"""Prints the gaze of each object of a DeepStream pipeline, by pyds and ctypes.

    gaze_deepstream.py 'uridecodebin uri=file:///clip.mp4 ! mux.sink_0 nvstreammux name=mux
        batch-size=1 width=1280 height=720 ! nvinfer config-file-path=face_detector.txt !
        gazeinfer engine=gaze.onnx name=gaze ! fakesink'

gazeinfer attaches a GazeObjMeta (include/gazemeta.h) to each NvDsObjectMeta as NvDsUserMeta. It has no
pointers, so ctypes reads it in place; keep a copy, not the pointer.
"""
import ctypes
import math
import sys

TYPE = "GAZEINFER.GAZE.OBJ_META"
MAGIC = int.from_bytes(b"GAZE", "little")
VERSION = 1
HAS_GAZE = 1


class GazeObjMeta(ctypes.Structure):
    """The fields of include/gazemeta.h."""

    _fields_ = [
        ("magic", ctypes.c_uint32),
        ("version", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("unique_id", ctypes.c_uint32),
        ("object_id", ctypes.c_uint64),
        ("inference_time", ctypes.c_uint64),
        ("source_id", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("age", ctypes.c_uint32),
        ("pitch", ctypes.c_float),
        ("yaw", ctypes.c_float),
        ("confidence", ctypes.c_float),
        ("direction", ctypes.c_float * 3),
        ("head", ctypes.c_float * 3),
        ("origin", ctypes.c_float * 3),
        ("rect", ctypes.c_float * 4),
        ("reserved", ctypes.c_uint32 * 5),
    ]


def items(pyds, node, cast):
    """The elements of one of DeepStream's lists."""
    while node is not None:
        yield cast(node.data)
        try:
            node = node.next
        except StopIteration:
            return


def gazes(pyds, batch):
    """(frame meta, object meta, GazeObjMeta) for each gaze of a batch."""
    wanted = pyds.nvds_get_user_meta_type(TYPE)
    for frame in items(pyds, batch.frame_meta_list, pyds.NvDsFrameMeta.cast):
        for obj in items(pyds, frame.obj_meta_list, pyds.NvDsObjectMeta.cast):
            for user in items(pyds, obj.obj_user_meta_list, pyds.NvDsUserMeta.cast):
                if user.base_meta.meta_type != wanted:
                    continue
                address = pyds.get_ptr(user.user_meta_data)
                gaze = GazeObjMeta.from_buffer_copy(
                    ctypes.string_at(address, ctypes.sizeof(GazeObjMeta))
                )
                if gaze.magic == MAGIC and gaze.version == VERSION and gaze.flags & HAS_GAZE:
                    yield frame, obj, gaze


def main(description):
    import gi

    gi.require_version("Gst", "1.0")
    import pyds
    from gi.repository import GLib, Gst

    def probe(_pad, info):
        batch = pyds.gst_buffer_get_nvds_batch_meta(hash(info.get_buffer()))
        for frame, obj, gaze in gazes(pyds, batch) if batch else ():
            print(
                f"source {frame.source_id} frame {frame.frame_num} object {obj.object_id}: "
                f"pitch {math.degrees(gaze.pitch):+.1f} yaw {math.degrees(gaze.yaw):+.1f} degrees"
            )
        return Gst.PadProbeReturn.OK

    Gst.init(None)
    pipeline = Gst.parse_launch(description)
    pipeline.get_by_name("gaze").get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, probe)
    loop = GLib.MainLoop()

    def on_message(_bus, message):
        if message.type == Gst.MessageType.ERROR:
            print(*message.parse_error(), file=sys.stderr)
        if message.type in (Gst.MessageType.ERROR, Gst.MessageType.EOS):
            loop.quit()

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message)
    pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
