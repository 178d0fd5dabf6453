"""Ground truth of the renderer, held against its pictures and against independent arithmetic."""

from __future__ import annotations

import queue
import re
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from gazemodels import dataset, synth
from gazemodels.reader import Reader
from gazemodels.synth import generate
from gazemodels.synth.figure import FACING, Pose
from gazemodels.synth.lighting import Lighting
from gazemodels.synth.scene import facing
from gazemodels.synth.studio import Studio
from gazemodels.synth.truth import measure, ray_frame
from gazemodels.synth.view import View, square_about

pytestmark = pytest.mark.skipif(
    not synth.ASSETS.exists(), reason=f"MakeHuman's data is not in {synth.ASSETS}"
)


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(synth.ASSETS, seed=0)


@pytest.fixture(scope="module")
def symmetric(studio):
    """A person like the base mesh, whose sides mirror each other."""
    person = studio.people.make(4)
    return replace(person, neutral=studio.people._lower_arms(studio.body.base), mane=None)


def camera(cx: float = 640.0) -> View:
    return View(1280, 720, 900.0, 900.0, cx, 360.0, (0.0, 0.0, 1280.0, 720.0))


def posed(studio, person, gaze, head=(0.0, 0.0, 0.0), origin=(0.0, 0.0, 500.0), **more) -> Pose:
    """Looks 600 mm far along `gaze` (pitch, yaw), with a head of pitch, yaw, roll, in degrees."""
    origin = np.array(origin)
    target = origin + 600.0 * facing(*gaze, 0.0)[:, 2]
    return Pose(facing(*head), FACING, origin, target, **more)


@pytest.mark.parametrize("gaze", [(0, 0), (0, 25), (0, -25), (12, 10), (-12, -15)])
def test_the_iris_is_where_the_ground_truth_has_it(studio, symmetric, gaze):
    looks = replace(symmetric.looks, iris=np.array([0.0, 1.0, 0.0]))
    light = Lighting.drawn(np.random.default_rng(1), infrared=False, reflectance=0.4)
    light = replace(light, tones=np.zeros((4, 3)), colours=np.full((3, 3), 0.3))
    figure = studio.poser.pose(symmetric, posed(studio, symmetric, gaze, pupil=1.0))
    view = camera()
    truth = measure(figure, studio.marks, view)
    for place, eye in zip(view.project(truth.irises), truth.landmarks[:2], strict=True):
        # The window holds one eye, 7 pixels to the millimetre in a picture of 256.
        near = replace(view, window=(eye[0] - 32.0, eye[1] - 32.0, 64.0, 64.0))
        image = studio.renderer.draw(figure, looks, near, light, None).astype(int)
        green = image[..., 1] - image[..., [0, 2]].max(-1)
        found = np.argwhere(green > 0.5 * np.quantile(green, 0.98))
        expected = (place - eye + 32.0) * (image.shape[0] / 64.0)
        assert len(found) > 400
        # Along the row through its middle, where lids do not cut it.
        row = found[np.abs(found[:, 0] - expected[1]) < 8.0, 1]
        # The few outermost pixels are the limbus's soft edge.
        low, high = np.quantile(row, [0.02, 0.98])
        assert abs(0.5 * (low + high) + 0.5 - expected[0]) < 5.0
        assert high - low > 60
        # The upper lid hides a part: the centre lies within the visible rows, not in their middle.
        assert found[:, 0].min() < expected[1] < found[:, 0].max()


def test_a_mirrored_scene_has_mirrored_labels(studio, symmetric):
    mirror = np.diag([-1.0, 1.0, 1.0])
    pose = posed(studio, symmetric, (8, 20), (-5, 12, 9), (60.0, 20.0, 500.0), closing=(0.5, 0.0))
    other = replace(
        pose,
        head=mirror @ pose.head @ mirror,
        trunk=mirror @ pose.trunk @ mirror,
        origin=mirror @ pose.origin,
        target=mirror @ pose.target,
        closing=(0.0, 0.5),
    )
    a, b = (measure(studio.poser.pose(symmetric, p), studio.marks, camera()) for p in (pose, other))
    np.testing.assert_allclose(b.gaze, a.gaze * [1, -1], atol=1e-4)
    np.testing.assert_allclose(b.head, a.head * [1, -1, -1], atol=1e-4)
    np.testing.assert_allclose(b.openness, a.openness[::-1], atol=0.01)
    np.testing.assert_allclose(b.landmarks[:, 0], 1280 - a.landmarks[[1, 0, 2, 4, 3], 0], atol=0.5)
    np.testing.assert_allclose(b.box[[2, 0]], 1280 - a.box[[0, 2]], atol=0.5)
    # And the signs themselves: to the image's left and up, rolled clockwise.
    assert a.gaze_camera[0] > 0 and a.gaze_camera[1] > 0 and a.head_camera[2] > 0
    assert a.landmarks[0, 0] < a.landmarks[1, 0] and a.landmarks[0, 1] < a.landmarks[1, 1]


def test_the_ray_frame_is_the_camera_panned_and_tilted(studio):
    for number in range(0, 120, 13):
        truth = studio.picture(number, plain=True).truth
        view = studio.picture(number, plain=True).view
        u, v = 0.5 * (truth.box[:2] + truth.box[2:])
        x, y = (u - view.cx) / view.fx, (v - view.cy) / view.fy
        pan, tilt = np.arctan(x), np.arctan2(y, np.hypot(x, 1.0))
        turned = Rotation.from_euler("YX", [pan, -tilt]).inv()
        pitch, yaw = truth.gaze_camera
        gaze = [-np.cos(pitch) * np.sin(yaw), -np.sin(pitch), -np.cos(pitch) * np.cos(yaw)]
        gx, gy, gz = turned.apply(gaze)
        np.testing.assert_allclose(truth.gaze, [np.arcsin(-gy), np.arctan2(-gx, -gz)], atol=1e-6)
    np.testing.assert_allclose(ray_frame(np.array([0.0, 0.0, 2.0])), np.eye(3), atol=1e-12)


def test_gaze_is_from_between_the_eyes_to_the_target(studio, symmetric):
    pose = posed(studio, symmetric, (10, -20), (5, -10, 0), (40.0, -30.0, 700.0))
    figure = studio.poser.pose(symmetric, pose)
    truth = measure(figure, studio.marks, camera())
    np.testing.assert_allclose(truth.origin, pose.origin, atol=1e-6)
    straight = np.radians([10, -20])
    assert np.abs(truth.gaze_camera - straight).max() < np.radians(0.2)
    for eye in figure.eyes:
        to_target = pose.target - eye.centre
        assert np.linalg.norm(np.cross(to_target, eye.axis)) < 1e-6
    # The eyes turn towards each other.
    assert figure.eyes[0].axis[0] > figure.eyes[1].axis[0]


def test_openness_falls_as_the_lids_close_and_follows_gaze(studio):
    person = studio.people.make(7)

    def openness(gaze, closing):
        pose = posed(studio, person, gaze, closing=(closing, closing))
        return measure(studio.poser.pose(person, pose), studio.marks, camera()).openness

    steps = [openness((0, 0), c).mean() for c in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert all(a > b + 0.05 for a, b in zip(steps, steps[1:], strict=False))
    assert steps[0] > 0.9 and steps[-1] < 0.05
    assert openness((-25, 0), 0.0).mean() < 0.8


def make(folder, monkeypatch, count=24) -> None:
    """Runs `generate` in this process, with small shards."""
    monkeypatch.setattr(dataset, "SHARD", 8)
    monkeypatch.setattr(generate.multiprocessing, "get_context", lambda _: InProcess)
    generate.generate(synth.ASSETS, folder, 5, count, 1)


class InProcess:
    """Stands in for a multiprocessing context."""

    Queue = queue.Queue

    class Process:
        exitcode = 0

        def __init__(self, target, args, daemon) -> None:
            self.task = lambda: target(*args)

        def start(self) -> None:
            self.task()

        def join(self) -> None:
            pass


def test_a_run_that_was_stopped_ends_with_the_same_shards(tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    make(whole, monkeypatch)
    make(parts, monkeypatch, count=16)
    (parts / "shard-00000.npz").unlink()
    make(parts, monkeypatch)
    for index in range(3):
        a, b = dataset.read_shard(whole, index), dataset.read_shard(parts, index)
        for name in dataset.ARRAYS:
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    assert not list(parts.glob("*.partial"))
    with pytest.raises(ValueError, match="seed"):
        generate.generate(synth.ASSETS, parts, 6, 24, 1)
    # The reader takes it, and no person is on both sides.
    reader = Reader(whole)
    sides = [set(reader.labels["identity"][reader.split(held)]) for held in (True, False)]
    assert len(reader) == 24 and not sides[0] & sides[1]
    assert {0} <= sides[0] and {1} <= sides[1]


def test_processes_end_with_the_one_that_started_them(tmp_path):
    command = [sys.executable, "-m", "gazemodels", "synth", "--jobs", "1", "--out", str(tmp_path)]
    parent = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    # The bar's first picture: the process that draws is at work. Its bar has no line ends.
    said = ""
    while not re.search(r"[1-9]\d*/30000", said):
        part = parent.stderr.read(1)
        assert part, said
        said += part
    parent.send_signal(signal.SIGTERM)
    # Ends when the last process that holds the pipe has ended; the limit is for one that never does.
    parent.communicate(timeout=120)
    assert parent.returncode == -signal.SIGTERM


def test_the_crop_is_about_the_face(studio):
    for number in range(0, 60, 7):
        picture = studio.picture(number)
        sample = picture.sample()
        assert sample["image"].shape == (dataset.SIDE, dataset.SIDE, 3)
        window, box = picture.view.window, picture.truth.box
        assert window[2] == pytest.approx(1.6 * max(box[2] - box[0], box[3] - box[1]))
        assert square_about(box, 1.6) == window
        assert (sample["landmarks"] > 0).all() and (sample["landmarks"] < dataset.SIDE).all()
