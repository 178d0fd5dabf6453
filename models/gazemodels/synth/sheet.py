"""Many pictures on one page, to be looked at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from .studio import Studio


def contact_sheet(assets: Path, out: Path, seed: int, numbers: Sequence[int], plain: bool) -> None:
    studio = Studio(assets, seed)
    images = [studio.picture(n, plain).image for n in tqdm(numbers, unit="image")]
    across = math.ceil(math.sqrt(len(images)))
    images += [np.zeros_like(images[0])] * (-len(images) % across)
    rows = [np.hstack(images[k : k + across]) for k in range(0, len(images), across)]
    if not cv2.imwrite(str(out), np.vstack(rows)[..., ::-1]):
        raise RuntimeError(f"{out} could not be written; is it a .png in a folder that exists?")
