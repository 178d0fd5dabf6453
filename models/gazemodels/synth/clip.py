"""A film of one person who looks around, with its ground truth: what `pipelines/demo.sh` shows.

Frames go to GStreamer or FFmpeg, whichever is there. The ground truth has one JSON object a line:
`frame`, `pts` (ns), `gaze-pitch`, `gaze-yaw`, `head-pitch`, `head-yaw`, `head-roll` (radians, camera
coordinates), `origin` (mm), `box` (x, y, w, h in pixels), `openness` (eye on the image's left, right)
and, once in the first line, the `camera` (fx, fy, cx, cy; pixels counted from the frame's corner).
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from scipy.interpolate import CubicSpline
from tqdm import tqdm

from .figure import Pose
from .lighting import Lighting
from .looks import linear
from .scene import direction, facing
from .studio import Studio
from .truth import Truth, measure, ray_frame
from .view import View

WIDTH, HEIGHT, RATE, SECONDS = 1280, 720, 30, 10

#: Chosen by eye among those that are held out from training (`reader.HELD_OUT`), with a plain pullover.
PERSON = 10
CLOTH, NECKLINE = linear((44, 52, 66)), (5.92, 0.25)

#: What is looked at: second, pitch and yaw in degrees against the ray; the head follows in part.
GLANCES = (
    (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.5, 3.0, 24.0), (2.4, 2.0, 26.0), (2.9, -14.0, 10.0),
    (3.7, -16.0, 8.0), (4.2, -2.0, -28.0), (5.1, 0.0, -30.0), (5.6, 12.0, -12.0), (6.3, 14.0, -8.0),
    (6.8, 0.0, 0.0), (7.5, 0.0, 0.0), (8.1, -20.0, -14.0), (8.9, -22.0, -10.0), (9.5, 0.0, 0.0),
    (10.0, 0.0, 0.0),
)  # fmt: skip

#: When the person blinks, seconds.
BLINKS = (1.3, 4.0, 6.6, 9.2)


def film(assets: Path, out: Path, seed: int) -> None:
    studio = Studio(assets, seed, WIDTH, HEIGHT)
    person = studio.people.make(PERSON)
    looks = replace(person.looks, cloth=CLOTH, neckline=NECKLINE)
    light = room_light(float(looks.albedo.mean()))
    focal = 0.5 * WIDTH / np.tan(np.radians(58.0) / 2.0)
    view = View(WIDTH, HEIGHT, focal, focal, WIDTH / 2, HEIGHT / 2, (0.0, 0.0, WIDTH, HEIGHT))
    rng = np.random.default_rng([seed, 4])
    encoder = subprocess.Popen(encoder_command(out), stdin=subprocess.PIPE)
    lines = []
    for number in tqdm(range(RATE * SECONDS), unit="frame"):
        figure = studio.poser.pose(person, pose_at(number / RATE))
        image = studio.renderer.draw(figure, looks, view, light, None)
        encoder.stdin.write(sensor_noise(image, rng).tobytes())
        lines.append(json.dumps(record(number, measure(figure, studio.marks, view), view)))
    encoder.stdin.close()
    if encoder.wait():
        raise RuntimeError(f"the encoder failed: {' '.join(encoder_command(out))}")
    out.with_suffix(".jsonl").write_text("\n".join(lines) + "\n")


def pose_at(time: float) -> Pose:
    """The person at a time in seconds: eyes jump ahead, the head follows more slowly."""
    seconds, pitch, yaw = np.array(GLANCES).T
    eyes = np.array([glide(seconds, axis, time, 0.0) for axis in (pitch, yaw)])
    slow = np.array([glide(seconds, axis, time, 0.12) for axis in (pitch, yaw)])
    head = 0.55 * slow + [1.2 * np.sin(1.3 * time), 1.5 * np.sin(0.9 * time + 1.0)]
    roll = 2.5 * np.sin(0.7 * time) - 0.08 * slow[1]
    origin = np.array([
        -70.0 + 30.0 * np.sin(0.6 * time), -25.0 + 6.0 * np.sin(1.1 * time), 690.0 + 25.0 * np.sin(0.45 * time)
    ])  # fmt: skip
    from_ray = ray_frame(origin).T
    smile = 0.5 + 0.5 * np.sin(0.63 * time - 0.9)
    blink = max(float(np.exp(-(((time - at) / 0.07) ** 4))) for at in BLINKS)
    return Pose(
        head=from_ray @ facing(head[0], head[1], roll),
        trunk=from_ray @ facing(0.0, 0.3 * slow[1], 1.0),
        origin=origin,
        target=origin + 650.0 * from_ray @ direction(*eyes),
        expression={
            "mouth-corner-puller": 0.45 * smile,
            "eyebrows-left-up": 0.15,
            "eyebrows-right-up": 0.15,
        },
        closing=(blink, blink),
        pupil=1.7,
    )


def glide(times: np.ndarray, values: np.ndarray, time: float, late: float) -> float:
    """Smooth way through the values, `late` seconds behind."""
    return float(
        CubicSpline(times, values, bc_type="clamped")(np.clip(time - late, 0.0, times[-1]))
    )


def room_light(reflectance: float) -> Lighting:
    """A desk by a window, in a dim room."""
    light = Lighting.drawn(np.random.default_rng(12), infrared=False, reflectance=reflectance)
    directions = np.array([[-0.55, -0.45, -0.7], [0.8, -0.1, -0.6], [0.5, -0.4, 0.75]])
    return replace(
        light,
        directions=directions / np.linalg.norm(directions, axis=1, keepdims=True),
        colours=np.array([[0.85, 0.84, 0.82], [0.16, 0.15, 0.14], [0.25, 0.25, 0.28]]),
        exposure=1.0,
        scene=2,
        seed=7.0,
        softness=0.05,
        tones=np.array(
            [[0.20, 0.22, 0.24], [0.10, 0.10, 0.11], [0.28, 0.24, 0.19], [0.34, 0.36, 0.38]]
        ),
    )


def sensor_noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A little softness and grain, as a webcam has."""
    soft = cv2.GaussianBlur(image, (0, 0), 0.6).astype(np.float32)
    soft += rng.normal(0.0, 1.2, image.shape[:2]).astype(np.float32)[..., None]
    return np.clip(soft, 0.0, 255.0).astype(np.uint8)


def record(number: int, truth: Truth, view: View) -> dict[str, object]:
    def rounded(values: np.ndarray, digits: int) -> list[float]:
        return [round(float(v), digits) for v in values]

    pitch, yaw = rounded(truth.gaze_camera, 5)
    head = dict(
        zip(("head-pitch", "head-yaw", "head-roll"), rounded(truth.head_camera, 5), strict=True)
    )
    x1, y1, x2, y2 = truth.box
    line: dict[str, object] = {
        "frame": number,
        "pts": round(number * 1_000_000_000 / RATE),
        "gaze-pitch": pitch,
        "gaze-yaw": yaw,
        **head,
        "origin": rounded(truth.origin, 2),
        "box": rounded(np.array([x1, y1, x2 - x1, y2 - y1]), 2),
        "openness": rounded(truth.openness, 3),
    }
    if number == 0:
        line["camera"] = rounded(np.array([view.fx, view.fy, view.cx, view.cy]), 3)
    return line


def encoder_command(out: Path) -> list[str]:
    """Reads raw RGB frames from its input; about 1.6 Mbit/s of H.264."""
    if shutil.which("ffmpeg"):
        return [
            "ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
            "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE), "-i", "-", "-c:v", "libx264",
            "-b:v", "1600k", "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(out),
        ]  # fmt: skip
    if shutil.which("gst-launch-1.0"):
        size = WIDTH * HEIGHT * 3
        return [
            "gst-launch-1.0", "-q", "fdsrc", f"blocksize={size}", "!", "rawvideoparse", "format=rgb",
            f"width={WIDTH}", f"height={HEIGHT}", f"framerate={RATE}/1", "!", "videoconvert", "!",
            "video/x-raw,format=I420", "!", "x264enc", "bitrate=1600", "key-int-max=60", "!",
            "h264parse", "!", "mp4mux", "faststart=true", "!", "filesink", f"location={out}",
        ]  # fmt: skip
    raise RuntimeError("no encoder: install ffmpeg, or GStreamer's tools with x264enc and mp4mux")
