"""Colours, hair and clothes of a person. Colours are linear light, reflectance 0..1, RGB."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .body import SKIN, TEETH, Body

#: Height of the eyes in the base mesh and their distance from the middle, decimetres.
EYE_Y, EYE_X = 7.284, 0.308

#: Skin from fair to dark, hair and irises, sRGB bytes as seen in photographs.
SKINS = ((242, 208, 190), (232, 190, 165), (215, 165, 135), (186, 134, 104), (146, 98, 74),
         (105, 68, 52), (74, 48, 38))  # fmt: skip
HAIRS = ((22, 18, 16), (40, 29, 23), (70, 48, 34), (104, 72, 46), (148, 110, 68), (190, 154, 104),
         (140, 70, 36))  # fmt: skip
GREYS = ((120, 118, 116), (205, 203, 200))
IRISES = ((52, 32, 22), (84, 52, 30), (110, 78, 44), (104, 108, 70), (96, 116, 120), (110, 138, 160),
          (124, 130, 134))  # fmt: skip


def linear(srgb: np.ndarray | tuple) -> np.ndarray:
    """sRGB bytes to linear light (IEC 61966-2-1)."""
    c = np.clip(np.asarray(srgb, float) / 255.0, 0.0, 1.0)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def between(anchors: tuple, place: float) -> np.ndarray:
    """Colour at `place` 0..1 along a row of anchors."""
    colours = linear(anchors)
    at = np.clip(place, 0.0, 1.0) * (len(colours) - 1)
    low = min(int(at), len(colours) - 2)
    return colours[low] + (at - low) * (colours[low + 1] - colours[low])


@dataclass
class Looks:
    """What a person looks like apart from shape. Lengths of hair are in millimetres."""

    #: (fine, 3) reflectance of every vertex, before noise.
    albedo: np.ndarray
    #: (fine,) hair of scalp and beard, 0 where there is none.
    hair: np.ndarray
    hair_colour: np.ndarray
    #: 0 straight to 1 tight curls.
    curl: float
    #: How far hair hangs below the eyes along the sides, decimetres; 0 where it does not.
    hanging: float
    brow_colour: np.ndarray
    #: Height over the usual, thickness factor, arch factor, density.
    brow: np.ndarray
    iris: np.ndarray
    iris_radius: float
    #: Number that the pattern of iris and skin follows.
    grain: float
    freckles: float
    #: 0 smooth to 1 rough and oily.
    roughness: float
    cloth: np.ndarray
    #: Height of the neckline, decimetres, and depth of its V.
    neckline: tuple[float, float]
    #: How dark and long: 0.4 hardly seen, 1 plain, up to 1.6 with mascara.
    lashes: float
    #: 0 smooth to 1 deeply lined: crow's feet, forehead, bags, folds beside the nose.
    wrinkles: float

    @classmethod
    def drawn(
        cls, rng: np.random.Generator, body: Body, male: float, age: float, origin: np.ndarray
    ) -> Looks:
        caucasian, african, asian = origin
        melanin = np.clip(
            caucasian * rng.uniform(0.0, 0.45)
            + asian * rng.uniform(0.1, 0.55)
            + african * rng.uniform(0.5, 1.0),
            0.0, 1.0,
        )  # fmt: skip
        skin = between(SKINS, melanin) * rng.normal(1.0, [0.04, 0.03, 0.05])
        skin += rng.uniform(0.1, 0.35) * (skin.mean() - skin)
        if caucasian > 0.5 and rng.random() < 0.75:
            hair, eyes = rng.uniform(0.1, 1.0), rng.uniform(0.0, 1.0)
        else:
            hair, eyes = rng.uniform(0.0, 0.25), rng.uniform(0.0, 0.22)
        colour = between(HAIRS, hair) * rng.normal(1.0, 0.1)
        brow_colour = colour * rng.uniform(0.3, 0.7)
        if rng.random() < max(0.0, age - 0.25) * 1.8:
            grey = between(GREYS, rng.random())
            colour = colour + rng.uniform(0.4, 1.0) * (grey - colour)
            brow_colour = brow_colour + rng.uniform(0.0, 0.6) * (grey - brow_colour)
        is_male = male > 0.5
        beard, stubble = 0.0, 0.0
        if is_male:
            kind = rng.random()
            beard = rng.uniform(1.2, 5.0) if kind < 0.2 else 0.0
            stubble = rng.uniform(0.2, 0.8) if kind < 0.6 else rng.uniform(0.0, 0.25)
        bald = is_male and rng.random() < 0.04 + 0.2 * age
        long = rng.random() < (0.1 if is_male else 0.6) and not bald
        curl = float(rng.random() ** 2 if african < 0.5 else rng.uniform(0.5, 1.0))
        length = 0.0 if bald else rng.uniform(4.0, 26.0) if is_male else rng.uniform(8.0, 24.0)
        recede = rng.uniform(0.0, 0.25) * age if is_male else rng.uniform(0.0, 0.04)
        lips = rng.uniform(0.25, 0.6) if is_male else rng.uniform(0.35, 0.95)
        made_up = rng.random() < (0.02 if is_male else 0.6)
        albedo = paint(rng, body, skin, float(melanin), lips, stubble, colour)
        if made_up:
            make_up(rng, body, albedo, skin)
        # Thick and dark brows, and fair or grey ones that hardly show.
        strong = rng.random() < 0.15
        density = rng.uniform(0.85, 1.0) if strong else rng.uniform(0.25, 1.0)
        return cls(
            albedo=albedo,
            hair=scalp(rng, body, length, recede) + chin_hair(rng, body, beard),
            hair_colour=colour,
            curl=curl,
            hanging=float(rng.uniform(0.6, 2.2)) if long else 0.0,
            brow_colour=brow_colour * (0.5 if strong else 1.0),
            brow=np.array([
                rng.normal(0.0, 0.025) - 0.02 * strong,
                (rng.uniform(0.9, 1.7) if is_male else rng.uniform(0.6, 1.2)) + 0.7 * strong,
                rng.uniform(0.4, 1.6),
                density,
            ]),
            iris=between(IRISES, eyes) * rng.normal(1.0, 0.12),
            iris_radius=float(rng.normal(0.0592, 0.002)),
            grain=float(rng.uniform(0.0, 100.0)),
            freckles=float(rng.uniform(0.0, 0.7) if melanin < 0.4 and rng.random() < 0.3 else 0.0),
            roughness=float(rng.uniform(0.2, 1.0)),
            cloth=cloth_colour(rng),
            neckline=(float(rng.uniform(5.55, 6.0)), float(rng.uniform(0.0, 0.9))),
            lashes=float(
                rng.uniform(1.0, 1.6) if made_up
                else rng.uniform(0.4, 0.8) if is_male else rng.uniform(0.6, 1.0)
            ),
            wrinkles=float(np.clip(age * rng.uniform(0.4, 1.3) + rng.normal(0.0, 0.1), 0.0, 1.0)),
        )  # fmt: skip

    def in_infrared(self) -> Looks:
        """The same at 850 to 940 nm, where melanin hardly absorbs: skin is bright and even, hair and
        irises are lighter, dyes differ from what they show in the visible."""

        def grey(colour: np.ndarray, share: float, floor: float) -> np.ndarray:
            luma = colour @ np.array([0.6, 0.3, 0.1])
            return np.repeat((floor + share * luma)[..., None], 3, axis=-1)

        return replace(
            self,
            albedo=grey(self.albedo, 0.45, 0.3),
            hair_colour=grey(self.hair_colour, 0.8, 0.06),
            brow_colour=grey(self.brow_colour, 0.8, 0.07),
            iris=grey(self.iris, 0.5, 0.16),
            cloth=grey(self.cloth, 0.5, 0.2),
        )


def cloth_colour(rng: np.random.Generator) -> np.ndarray:
    """Mostly greys, blues and pale tones; strong colours now and then."""
    grey = rng.uniform(12.0, 235.0)
    strength = rng.uniform(40.0, 90.0) if rng.random() < 0.25 else rng.uniform(0.0, 25.0)
    return linear(grey + strength * rng.normal(0.0, 1.0, 3))


def near(points: np.ndarray, centre: tuple, size: tuple) -> np.ndarray:
    """A soft ball (n,) about `centre` and its mirror image."""
    away = (
        (np.abs(points[:, 0]) - centre[0]) / size[0],
        *((points[:, k] - centre[k]) / size[k] for k in (1, 2)),
    )
    return np.exp(-sum(a * a for a in away))


def paint(
    rng: np.random.Generator, body: Body, skin: np.ndarray, melanin: float, lips: float,
    stubble: float, hair: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Reflectance (fine, 3): blood in cheeks, nose and ears, shadowed lids, lips, stubble."""
    p = body.rest
    albedo = np.tile(skin, (len(p), 1))

    def tint(mask: np.ndarray, colour: np.ndarray) -> None:
        albedo[:] += mask[:, None] * (colour - albedo)

    red = skin * np.array([1.02, 0.66, 0.64])
    blood = rng.uniform(0.2, 1.0) * (1.0 - 0.6 * melanin)
    tint(0.6 * blood * near(p, (0.42, 6.85, 1.2), (0.2, 0.2, 0.4)), red)
    tint(0.55 * blood * near(p, (0.0, 6.9, 1.75), (0.13, 0.14, 0.25)), red)
    tint(0.5 * blood * near(p, (0.75, 7.1, 0.2), (0.15, 0.35, 0.3)), red)
    tint(0.3 * blood * near(p, (0.0, 6.28, 1.4), (0.15, 0.12, 0.3)), red)
    tired = rng.uniform(0.1, 0.7)
    shade = skin * np.array([0.72, 0.6, 0.62])
    tint(tired * near(p, (EYE_X, EYE_Y - 0.13, 1.4), (0.17, 0.07, 0.2)), shade)
    tint(rng.uniform(0.1, 0.5) * near(p, (EYE_X, EYE_Y + 0.08, 1.4), (0.17, 0.06, 0.2)), shade)
    tint(0.35 * near(p, (EYE_X - 0.16, EYE_Y, 1.35), (0.06, 0.07, 0.2)), skin * [0.8, 0.55, 0.5])
    if stubble > 0.0:
        tint(0.6 * stubble * beard_area(p), 0.45 * hair + 0.3 * skin)
    lip_colour = skin * np.array([0.86, 0.5, 0.5]) if melanin < 0.6 else skin * [0.95, 0.72, 0.72]
    if lips > 0.75:
        lip_colour = linear(rng.uniform([120, 20, 30], [215, 90, 100])) * (1 - 0.5 * melanin)
    tint(lips * 1.0 * body.lips, lip_colour)
    # Inside of the mouth, which lies behind the lips.
    inside = (np.abs(p[:, 0]) < 0.3) & (np.abs(p[:, 1] - 6.65) < 0.15) & (p[:, 2] < 1.36)
    tint((inside & (p[:, 2] > 0.5)).astype(float), np.array([0.16, 0.035, 0.035]))
    albedo[body.part == TEETH] = linear((226, 214, 196)) * rng.uniform(0.75, 1.0)
    return albedo


def make_up(rng: np.random.Generator, body: Body, albedo: np.ndarray, skin: np.ndarray) -> None:
    """Eye shadow, liner and powder, painted on `albedo` (fine, 3)."""
    p, (upper, lower) = body.rest, body.to_lid
    above = ramp(-0.02, 0.03, p[:, 1] - EYE_Y) * (p[:, 2] > 0.9)

    def tint(mask: np.ndarray, colour: np.ndarray) -> None:
        albedo[:] += mask[:, None] * (colour - albedo)

    tones = ((70, 48, 40), (110, 70, 60), (120, 70, 90), (60, 62, 80), (150, 110, 80), (40, 36, 38))
    shadow = linear(tones[rng.integers(len(tones))]) * rng.uniform(0.8, 1.4)
    reach = rng.uniform(0.05, 0.14)
    tint(rng.uniform(0.1, 0.75) * above * np.exp(-((upper / reach) ** 2)), shadow)
    # A lighter tone beneath the brow lets the lid look larger.
    tint(
        rng.uniform(0.0, 0.4) * near(p, (EYE_X + 0.05, EYE_Y + 0.17, 1.4), (0.14, 0.04, 0.2)),
        np.clip(1.3 * skin, 0.0, 0.9),
    )
    ink = linear(rng.uniform([10, 8, 8], [60, 45, 40]))
    if rng.random() < 0.75:
        width = rng.uniform(0.018, 0.045)
        tint(rng.uniform(0.5, 0.95) * np.exp(-((upper / width) ** 4)) * (p[:, 2] > 0.9), ink)
    if rng.random() < 0.45:
        width = rng.uniform(0.014, 0.032)
        tint(rng.uniform(0.3, 0.85) * np.exp(-((lower / width) ** 4)) * (p[:, 2] > 0.9), ink)


def ramp(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between (either order)."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def beard_area(p: np.ndarray) -> np.ndarray:
    """Jaw, chin and upper lip (fine,), without the lips themselves."""
    x, y, z = np.abs(p[:, 0]), p[:, 1], p[:, 2]
    upper = 6.72 + 0.5 * np.clip(x - 0.25, 0.0, None) ** 0.8
    jaw = ramp(upper + 0.06, upper - 0.06, y) * ramp(5.95, 6.15, y) * ramp(0.25, 0.5, z)
    mouth = np.exp(-(((x / 0.27) ** 2 + ((y - 6.6) / 0.085) ** 2) ** 2))
    return np.clip(jaw * (1.0 - mouth), 0.0, 1.0)


def chin_hair(rng: np.random.Generator, body: Body, length: float) -> np.ndarray:
    if length <= 0.0:
        return np.zeros(len(body.rest))
    return length * beard_area(body.rest) * (body.part == SKIN)


def scalp(rng: np.random.Generator, body: Body, length: float, recede: float) -> np.ndarray:
    """Length of the hair (fine,): longest on top, shorter at temples and nape."""
    p = body.rest
    x, y, z = np.abs(p[:, 0]), p[:, 1], p[:, 2]
    if length <= 0.0:
        # A fringe of short hair above the ears and at the back.
        area = ramp(0.1, -0.1, z) * ramp(7.9, 7.6, y) * ramp(6.4, 6.7, y)
        return 3.0 * area * (body.part == SKIN)
    line = EYE_Y + 0.58 + recede + rng.uniform(-0.08, 0.06)
    front = ramp(-0.03, 0.06, y - line - (0.12 + recede) * np.cos(2.6 * x) + 0.1)
    sideburn = rng.uniform(6.9, 7.3)
    side = (
        ramp(0.75, 0.6, z - 0.45 * (y - EYE_Y))
        * ramp(sideburn, sideburn + 0.15, y)
        * ramp(0.5, 0.6, x)
    )
    back = ramp(0.1, -0.15, z) * ramp(6.3, 6.6, y)
    area = np.maximum(front, np.maximum(side, back))
    ears = near(p, (0.78, 7.1, 0.15), (0.16, 0.36, 0.3))
    faded = 1.0 - rng.uniform(0.0, 0.75) * ramp(8.1, 7.2, y)
    return length * area * faded * (1.0 - ramp(0.15, 0.5, ears)) * (body.part == SKIN)
