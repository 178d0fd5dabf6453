"""Pixels and labels move together."""

from __future__ import annotations

import cv2
import numpy as np
import torch

import crude
from gazemodels import appearance, augment
from gazemodels.contract import STUDENT


def labels_of(points: np.ndarray, gaze=(0.2, 0.4), head=(0.1, -0.2, 0.3)) -> augment.Labels:
    where = torch.from_numpy(points)[None] * (2.0 / crude.SIDE) - 1.0
    return {
        "gaze": torch.tensor([gaze]),
        "head": torch.tensor([head]),
        "landmarks": where,
        "irises": where[:, :2],
        "lids": where[:, :2, None, None] + torch.linspace(-0.05, 0.05, 7)[:, None].expand(2, 7, 2),
        "openness": torch.tensor([[0.2, 0.9]]),
    }


def centred(**changes: torch.Tensor) -> augment.Geometry:
    geometry = augment.Geometry.centred(1, STUDENT.margin, torch.device("cpu"))
    for name, value in changes.items():
        setattr(geometry, name, value)
    return geometry


def test_the_centred_sample_is_the_plugins_crop():
    image, _ = crude.face(np.random.default_rng(0), np.array([0.1, 0.2]))
    ours = augment.sample(torch.from_numpy(image)[None], centred(), STUDENT.side)
    plugins = STUDENT.tensor(STUDENT.crop_stored(image[None]))
    # Float against bytes: half a grey level of rounding, twice.
    assert np.abs(ours.numpy() - plugins).max() <= 1.01 / 255.0


def test_mirror_flips_pixels_and_signs():
    image, points = crude.face(np.random.default_rng(0), np.array([0.1, 0.2]))
    pixels = torch.from_numpy(image)[None]
    mirrored = centred(mirror=torch.tensor([True]))
    plain = augment.sample(pixels, centred(), 160)
    assert torch.allclose(augment.sample(pixels, mirrored, 160), plain.flip(3), atol=1e-4)
    before = augment.relabel(labels_of(points), centred())
    after = augment.relabel(labels_of(points), mirrored)
    sign = torch.tensor([1.0, -1.0, -1.0])
    assert torch.allclose(after["gaze"], before["gaze"] * sign[:2], atol=1e-6)
    assert torch.allclose(after["head"], before["head"] * sign, atol=1e-6)
    assert torch.equal(after["openness"], before["openness"].flip(1))
    assert after["landmarks"][0, 0, 0] < after["landmarks"][0, 1, 0], "left stays left"
    assert torch.allclose(after["irises"], after["landmarks"][:, :2])
    assert (after["lids"][..., 1:, 0] > after["lids"][..., :-1, 0]).all(), "left to right"


def test_bytes_are_sampled_as_floats_are():
    image, _ = crude.face(np.random.default_rng(0), np.array([0.1, 0.2]))
    images = torch.from_numpy(image)[None].repeat(8, 1, 1, 1)
    geometry = augment.Geometry.drawn(8, 0.2, torch.Generator().manual_seed(3))
    floats = augment.sample(images, geometry, 96).permute(0, 2, 3, 1) * 255.0
    bytes_ = augment.sample_bytes(images, geometry, 96).float()
    # A raster of 1/32 pixel shows at hard edges.
    assert (floats - bytes_).abs().mean() < 0.4
    assert (floats - bytes_).abs().max() < 12.0


def test_landmarks_follow_the_pixels():
    points = np.array([[90, 100], [160, 105], [128, 140], [108, 170], [150, 168]], np.float32)
    image = np.zeros((crude.SIDE, crude.SIDE, 3), np.uint8)
    cv2.circle(image, (90, 100), 3, (255, 255, 255), -1)
    for mirror in (False, True):
        geometry = centred(
            turn=torch.tensor([0.25]),
            shift=torch.tensor([[0.1, -0.06]]),
            mirror=torch.tensor([mirror]),
        )
        pixels = augment.sample(torch.from_numpy(image)[None], geometry, 160)[0, 0].numpy()
        y, x = np.mgrid[:160, :160]
        seen = np.array([(pixels * x).sum(), (pixels * y).sum()]) / pixels.sum()
        told = augment.relabel(labels_of(points + 0.5), geometry)["landmarks"][
            0, int(mirror)
        ].numpy()
        assert np.abs((told + 1.0) * 80.0 - 0.5 - seen).max() < 0.3


def test_a_turned_image_turns_the_gaze():
    points = np.full((5, 2), 128, np.float32)
    quarter = centred(turn=torch.tensor([np.pi / 2]))
    # Turned by a quarter, what lay to the image's right lies up.
    after = augment.relabel(labels_of(points, gaze=(0.0, -0.3)), quarter)["gaze"][0]
    assert torch.allclose(after, torch.tensor([0.3, 0.0]), atol=1e-6)


def test_drawn_crops_stay_inside_the_stored_ones_and_repeat_with_the_seed():
    generator = torch.Generator().manual_seed(1)
    geometry = augment.Geometry.drawn(4000, STUDENT.margin, generator)
    reach = geometry.scale + geometry.shift.abs().amax(1)
    assert reach.max() <= 1.0 + 1e-6
    assert 0.45 < geometry.mirror.float().mean() < 0.55
    images = torch.rand(6, 3, 160, 160)
    first, second = (
        appearance.vary(images.clone(), torch.Generator().manual_seed(7)) for _ in range(2)
    )
    assert torch.equal(first, second)
    images = (images.permute(0, 2, 3, 1) * 255.0).byte()
    third, fourth = (
        appearance.vary_bytes(images, torch.Generator().manual_seed(7)) for _ in range(2)
    )
    assert torch.equal(third, fourth) and third.shape == first.shape
    assert third.min() >= 0.0 and third.max() <= 1.0 and torch.isfinite(third).all()
    assert first.min() >= 0.0 and first.max() <= 1.0 and torch.isfinite(first).all()
