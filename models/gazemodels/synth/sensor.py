"""What lens, sensor and codec make of a rendered picture, at the resolution the camera had."""

from __future__ import annotations

import cv2
import numpy as np

from .view import View

#: Largest picture that is treated at the camera's resolution; larger ones are as they were drawn.
LARGEST = 320


def photograph(
    image: np.ndarray, view: View, infrared: bool, rng: np.random.Generator
) -> np.ndarray:
    """The window of a frame (n, n, 3) RGB bytes as a camera would deliver it.

    A window that shows fewer pixels of the frame than `n` is made smaller first and larger again
    last; what lies outside the frame repeats its edge, as the plugin's crops do.
    """
    n = image.shape[0]
    real = int(np.clip(round(view.window[2]), 24, LARGEST))
    small = cv2.resize(image, (real, real), interpolation=cv2.INTER_AREA) if real < n else image
    light = (small.astype(np.float32) / 255.0) ** 2.2
    light = unsharp_focus(light, real, rng)
    if not infrared:
        light = light * rng.normal(1.0, 0.06, 3).astype(np.float32)
        light = desaturated(light, rng)
    light = noisy(light, rng)
    coded = np.clip(light, 0.0, 1.0) ** (1.0 / 2.2)
    contrast, black = rng.uniform(0.95, 1.3), rng.normal(0.0, 0.025)
    coded = (coded - 0.5) * contrast + 0.5 + black
    out = np.clip(coded * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8)
    if infrared:
        out = np.repeat(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if rng.random() < 0.75:
        quality = int(rng.uniform(25, 96))
        _, packed = cv2.imencode(".jpg", out[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        out = cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1]
    out = outside_repeated(out, view)
    if real < n:
        out = cv2.resize(out, (n, n), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(out)


def unsharp_focus(light: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """A lens that is a little out of focus, sometimes motion along a line."""
    sigma = (
        0.3 + 0.35 * rng.random() if rng.random() < 0.85 else rng.uniform(0.6, 0.006 * side + 0.7)
    )
    light = cv2.GaussianBlur(light, (0, 0), sigma)
    if rng.random() < 0.10:
        length = rng.uniform(2.0, 0.02 * side + 2.0)
        taps = int(np.ceil(length)) | 1
        kernel = np.zeros((taps, taps), np.float32)
        turn = rng.uniform(0.0, np.pi)
        reach = 0.5 * (length - 1.0) * np.array([np.cos(turn), np.sin(turn)])
        middle = np.array([taps // 2, taps // 2], float)
        for t in np.linspace(-1.0, 1.0, 4 * taps):
            x, y = np.clip(np.round(middle + t * reach), 0, taps - 1).astype(int)
            kernel[y, x] += 1.0
        light = cv2.filter2D(light, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    return light


def desaturated(light: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cameras differ in how much colour they show."""
    grey = light @ np.float32([0.3, 0.59, 0.11])
    return grey[..., None] + (light - grey[..., None]) * np.float32(rng.uniform(0.8, 1.35))


def noisy(light: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Photons and electronics: variance grows with the light (Foi and others 2008, Practical
    Poissonian-Gaussian noise modeling). In part the same in all channels, as after demosaicing."""
    dark = rng.random() ** 3
    shot, read = 0.0001 + 0.0025 * dark, 0.001 + 0.008 * dark
    sigma = np.sqrt(shot * np.clip(light, 0.0, 1.0) + read * read)
    shared = rng.standard_normal(light.shape[:2], np.float32)[..., None]
    own = rng.standard_normal(light.shape, np.float32)
    return light + sigma.astype(np.float32) * (0.7 * shared + 0.5 * own)


def outside_repeated(image: np.ndarray, view: View) -> np.ndarray:
    """Replaces what lies outside the frame by the nearest pixel inside."""
    side = image.shape[0]
    left, top, w, h = view.window
    if left >= 0.0 and top >= 0.0 and left + w <= view.width and top + h <= view.height:
        return image

    def inside(start: float, extent: float, limit: int) -> np.ndarray:
        centres = start + (np.arange(side) + 0.5) * extent / side
        kept = np.clip(centres, 0.5, limit - 0.5)
        return np.clip(((kept - start) / extent * side).astype(int), 0, side - 1)

    return image[inside(top, h, view.height)[:, None], inside(left, w, view.width)]
