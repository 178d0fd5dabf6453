"""Appearance augmentation of images (n, 3, h, w) in 0..1: what cameras, light and codecs do.

The training faces are rendered and the faces to be judged are not. What a renderer gets wrong is
mostly appearance, so appearance is varied far beyond the plausible and the network left with shape.
Each function works on all images at once, with a strength drawn for each, or on a random part.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import torch
import torch.nn.functional as F

Images = torch.Tensor

#: Weights of red, green and blue in luma (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)

#: Luminance quantisation of JPEG (ITU-T T.81, table K.1).
JPEG_STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


class Draw:
    """Random numbers of one generator, shaped for broadcasting over images."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator
        self.device = generator.device

    def uniform(self, count: int, low: float, high: float, channels: int = 1) -> torch.Tensor:
        """(count, channels, 1, 1) in low..high."""
        values = torch.rand(count, channels, 1, 1, generator=self.generator, device=self.device)
        return low + (high - low) * values

    def normal(self, shape: torch.Size) -> torch.Tensor:
        """Standard normal."""
        return torch.randn(shape, generator=self.generator, device=self.device)

    def some(self, count: int, share: float) -> torch.Tensor:
        """Indices (m,) of a random part."""
        chosen = torch.rand(count, generator=self.generator, device=self.device) < share
        return chosen.nonzero().squeeze(1)

    def number(self, low: float, high: float) -> float:
        """One number."""
        return float(self.uniform(1, low, high))


def luma(images: Images) -> Images:
    """(n, 1, h, w)."""
    return (images * images.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def colour(images: Images, draw: Draw) -> Images:
    """White balance, saturation, contrast, brightness, gamma; a fifth of the images turns grey."""
    n = len(images)
    images = images * draw.uniform(n, 0.8, 1.2, channels=3)
    grey = luma(images)
    saturation = draw.uniform(n, 0.3, 1.4)
    saturation[draw.some(n, 0.2)] = 0.0
    images = grey + (images - grey) * saturation
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    images = (images - mean) * draw.uniform(n, 0.7, 1.4) + mean * draw.uniform(n, 0.7, 1.4)
    return images.clamp(1e-4, 1.0).pow(draw.uniform(n, -0.5, 0.5).exp())


def light(images: Images, draw: Draw) -> Images:
    """A ramp of light across the image, as from a window at one side."""
    n, _, height, width = images.shape
    angle = draw.uniform(n, 0.0, 2.0 * math.pi)
    y = torch.linspace(-1, 1, height, device=images.device).view(1, 1, height, 1)
    x = torch.linspace(-1, 1, width, device=images.device).view(1, 1, 1, width)
    ramp = 1.0 + draw.uniform(n, 0.0, 0.6) * (angle.cos() * x + angle.sin() * y)
    return (images * ramp).clamp(0.0, 1.0)


def blur(images: Images, draw: Draw) -> Images:
    """Gaussian, sigma up to 3 pixels along each axis by itself: out of focus, or moving.

    As products with band matrices, whose rows sum to 1 at the edges too: on a CPU several times
    faster than a convolution of single channels.
    """
    n, _, height, width = images.shape

    def band(length: int) -> torch.Tensor:
        sigma = draw.uniform(n, 0.05, 1.0).square() * 3.0 + 0.2
        places = torch.arange(length, device=images.device, dtype=images.dtype)
        weights = torch.exp(-0.5 * ((places[:, None] - places[None, :]) / sigma).square())
        return weights / weights.sum(-1, keepdim=True)

    return band(height) @ images @ band(width).transpose(2, 3)


def small(images: Images, draw: Draw) -> Images:
    """Seen from afar: made smaller, then larger again."""
    size = images.shape[-2:]
    factor = draw.number(0.25, 0.8)
    shrunk = F.interpolate(images, scale_factor=factor, mode="area")
    return F.interpolate(shrunk, size=size, mode="bilinear", align_corners=False)


def sharpen(images: Images, draw: Draw) -> Images:
    """Unsharp mask, as cameras and phones overdo it."""
    soft = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), "replicate"), 3, stride=1)
    return (images + (images - soft) * draw.uniform(len(images), 0.5, 2.0)).clamp(0.0, 1.0)


def noise(images: Images, draw: Draw) -> Images:
    """Sensor noise, in luma and in colour."""
    n = len(images)
    grain = draw.normal(images[:, :1].shape) * draw.uniform(n, 0.0, 0.05)
    speckle = draw.normal(images.shape) * draw.uniform(n, 0.0, 0.03)
    return (images + grain + speckle).clamp(0.0, 1.0)


def jpeg(images: Images, draw: Draw) -> Images:
    """What JPEG leaves of each 8x8 block, all channels with the luminance table.

    Not a codec: no subsampling and no entropy coding, which do not show at this size. Height and
    width are multiples of 8.
    """
    n, channels, height, width = images.shape
    k = torch.arange(8, device=images.device, dtype=images.dtype)
    # The orthonormal DCT-II: rows are frequencies.
    dct = torch.cos(math.pi / 8.0 * (k[None, :] + 0.5) * k[:, None]) * 0.5
    dct[0] *= math.sqrt(0.5)
    steps = images.new_tensor(JPEG_STEPS) / 255.0
    quality = draw.uniform(n, 0.3, 3.0)[..., None, None]
    blocks = images.reshape(n, channels, height // 8, 8, width // 8, 8).transpose(3, 4)
    scale = steps * quality
    waves = torch.round((dct @ blocks @ dct.T) / scale) * scale
    blocks = dct.T @ waves @ dct
    return blocks.transpose(3, 4).reshape(images.shape).clamp(0.0, 1.0)


def cover(images: Images, draw: Draw) -> Images:
    """A rectangle of one colour with some grain: hands, hair, frames, straps."""
    n, _, height, width = images.shape
    y = torch.linspace(-1, 1, height, device=images.device).view(1, 1, height, 1)
    x = torch.linspace(-1, 1, width, device=images.device).view(1, 1, 1, width)
    middle_y, middle_x = draw.uniform(n, -1.0, 1.0), draw.uniform(n, -1.0, 1.0)
    half_y, half_x = draw.uniform(n, 0.05, 0.35), draw.uniform(n, 0.05, 0.35)
    inside = ((y - middle_y).abs() < half_y) & ((x - middle_x).abs() < half_x)
    fill = draw.uniform(n, 0.0, 1.0, channels=3) + 0.1 * draw.normal(images.shape)
    return torch.where(inside, fill.clamp(0.0, 1.0), images)


#: Applied in this order, each to its share of the images: light, then lens, sensor and codec. Rendered
#: faces come with some blur and noise already; more of it and no eye could be read in too many.
PARTIAL: tuple[tuple[Callable[[Images, Draw], Images], float], ...] = (
    (light, 0.4),
    (cover, 0.2),
    (blur, 0.2),
    (small, 0.15),
    (sharpen, 0.15),
    (noise, 0.3),
    (jpeg, 0.25),
)


#: Part of the images that is left as it was rendered. Where every image is disturbed, a network takes
#: several times as long until it first looks at the eyes.
PLAIN = 0.25


def vary(images: Images, generator: torch.Generator) -> Images:
    """All of it, on images (n, 3, h, w) in 0..1."""
    draw = Draw(generator)
    disturbed = draw.some(len(images), 1.0 - PLAIN)
    if not len(disturbed):
        return images
    return images.index_copy(0, disturbed, after_colour(colour(images[disturbed], draw), draw))


def vary_bytes(images: torch.Tensor, generator: torch.Generator) -> Images:
    """The same from bytes (n, h, w, 3) on a CPU."""
    draw = Draw(generator)
    disturbed = draw.some(len(images), 1.0 - PLAIN)
    coloured = images.clone()
    if len(disturbed):
        colour_bytes(coloured, disturbed, draw)
    planes = coloured.permute(0, 3, 1, 2).float().mul_(1.0 / 255.0)
    if len(disturbed):
        planes = planes.index_copy(0, disturbed, after_colour(planes[disturbed], draw))
    return planes


def after_colour(part: Images, draw: Draw) -> Images:
    """`PARTIAL` on images of which each is disturbed."""
    for change, share in PARTIAL:
        chosen = draw.some(len(part), share)
        if len(chosen):
            part[chosen] = change(part[chosen], draw)
    return part


def colour_bytes(images: torch.Tensor, chosen: torch.Tensor, draw: Draw) -> None:
    """What `colour` does, in place on bytes (n, h, w, 3) on a CPU: one matrix and one table an image."""
    n = len(chosen)
    white, saturation = draw.uniform(n, 0.8, 1.2, channels=3), draw.uniform(n, 0.3, 1.4)
    saturation[draw.some(n, 0.2)] = 0.0
    contrast, brightness = draw.uniform(n, 0.7, 1.4), draw.uniform(n, 0.7, 1.4)
    gamma = draw.uniform(n, -0.5, 0.5).exp()
    numbers = [t.flatten(1).numpy() for t in (white, saturation, contrast, brightness, gamma)]
    levels = np.arange(256) / 255.0
    for index, w, s, c, b, g in zip(chosen.tolist(), *numbers, strict=True):
        pixels = images[index].numpy()
        # To grey by 1 - s, after the white balance.
        matrix = (s * np.eye(3) + (1.0 - s) * np.array(LUMA)[None]) * w[None]
        mean = float((matrix @ np.array(cv2.mean(pixels)[:3])).mean())
        whole = np.hstack([c * matrix, np.full((3, 1), float((b - c)[0]) * mean)])
        table = 255.0 * levels ** float(g[0])
        pixels[:] = cv2.LUT(cv2.transform(pixels, whole), (table + 0.5).astype(np.uint8))
