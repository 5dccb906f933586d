"""Pictures that look enough like anatomy to try a detector: edges, ribs, speckle, noise with grain.

Every picture is (row, column), float32, 0 to 1 of the displayed range, without any writing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable

Picture = npt.NDArray[np.float32]
Shape = tuple[int, int]


def ultrasound(random: np.random.Generator, shape: Shape) -> Picture:
    """Speckle in a fan, with vessels, bright borders, a grey bar and a depth ruler without numbers."""
    y, x = _grid(shape)
    top, opening = -0.12, float(random.uniform(0.5, 0.9))
    angle, depth = np.arctan2(x, y - top + 0.5), np.hypot(x, y - top + 0.5)
    fan = (np.abs(angle) < opening) & (depth > 0.2) & (depth < 1.0)
    speckle = np.hypot(_grain(random, shape, 1.2), _grain(random, shape, 1.2))
    tissue = 0.32 + 0.05 * _cloud(random, shape, 60) - 0.15 * (depth - 0.5)
    for _ in range(4):
        tissue = np.where(_ellipse(random, x, y, 0.25, (0.04, 0.14)), 0.06, tissue)
    for _ in range(5):
        tissue += (
            0.35
            * np.exp(-(((depth - random.uniform(0.3, 0.95)) * 90) ** 2))
            * (_cloud(random, shape, 30) > 0)
        )
    image = np.where(fan, np.clip(tissue * (0.65 + 0.30 * speckle), 0, 1), 0.0)
    rows, columns = shape
    bar = slice(rows // 8, rows // 2)
    image[bar, 8:18] = np.linspace(1, 0, bar.stop - bar.start)[:, None]
    image[rows // 6 :: rows // 12, columns - 26 : columns - 20] = 0.8
    return image.astype(np.float32)


def ct(random: np.random.Generator, shape: Shape) -> Picture:
    """A slice of a trunk in a soft-tissue window, with ribs, spine, bowel gas and a table."""
    y, x = _grid(shape)
    image = np.zeros(shape)
    wide, high = random.uniform(0.36, 0.44), random.uniform(0.25, 0.32)
    body = (x / wide) ** 2 + (y / high) ** 2
    image[body < 1] = 0.38
    image[body < 0.82] = 0.56
    for level in (0.62, 0.64, 0.60, 0.66, 0.5):
        image = np.where(_ellipse(random, x, y, 0.18, (0.04, 0.13)) & (body < 0.75), level, image)
    for _ in range(int(random.integers(2, 7))):
        image = np.where(_ellipse(random, x, y, 0.2, (0.01, 0.05)) & (body < 0.75), 0.0, image)
    for turn in np.linspace(0.3, 2 * np.pi - 0.3, 11):
        rib = ((x - 0.87 * wide * np.sin(turn)) / 0.03) ** 2 + ((y + 0.87 * high * np.cos(turn)) / 0.012) ** 2
        image[rib < 1] = 0.95
    spine = (x / 0.05) ** 2 + ((y - high * 0.62) / 0.045) ** 2
    image[spine < 1] = 0.88
    image[(x / 0.02) ** 2 + ((y - high * 0.80) / 0.02) ** 2 < 1] = 0.56
    image[np.abs(y - high - 0.04 - 0.15 * x**2) < 0.004] = 0.5
    noise = 0.035 * _grain(random, shape, 0.8)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 0.9) + noise * (image > 0), 0, 1).astype(np.float32)


def mr(random: np.random.Generator, shape: Shape) -> Picture:
    """A head with folds, ventricles and a bias field; noise as a magnitude has it."""
    y, x = _grid(shape)
    head = (x / 0.36) ** 2 + (y / 0.43) ** 2
    image = np.where(head < 1, 0.75, 0.0)
    image = np.where(head < 0.88, 0.08, image)
    folds = 0.48 + 0.09 * np.tanh(2 * _cloud(random, shape, 9))
    image = np.where(head < 0.80, folds, image)
    image = np.where(head < 0.35, 0.62 + 0.03 * _cloud(random, shape, 8), image)
    for side in (-1, 1):
        image[((x - side * 0.05) / 0.03) ** 2 + ((y - 0.02) / 0.11) ** 2 < 1] = 0.15
    image *= 1 + 0.2 * _cloud(random, shape, shape[0] / 3)
    image = cv2.GaussianBlur(image, (0, 0), 0.7) + 0.025 * _grain(random, shape, 0)
    return np.clip(np.hypot(image, 0.025 * _grain(random, shape, 0)), 0, 1).astype(np.float32)


def chest(random: np.random.Generator, shape: Shape) -> Picture:
    """A projection: lungs, crossing ribs, heart, spine, grain; bright is bone."""
    y, x = _grid(shape)
    image = 0.62 + 0.10 * _cloud(random, shape, shape[0] / 4)
    for side in (-1, 1):
        lung = ((x - side * 0.19) / 0.15) ** 2 + ((y + 0.02) / 0.34) ** 2
        image -= 0.38 / (1 + np.exp(14 * (lung - 1)))
        for number in range(9):
            arc = y + 0.36 - 0.075 * number + 1.2 * (x - side * 0.12) ** 2 * side * np.sign(x + 1e-6)
            image += 0.07 * np.exp(-((arc / 0.011) ** 2)) * (lung < 1.25)
    image += 0.22 * np.exp(-(((x - 0.01) / 0.05) ** 2))
    image += 0.20 / (1 + np.exp(12 * (((x - 0.06) / 0.14) ** 2 + ((y - 0.16) / 0.15) ** 2 - 1)))
    image[np.abs(x) > 0.47] *= 0.3
    grain = 0.012 * _grain(random, shape, 0.6) + 0.014 * _cloud(random, shape, 3)
    return np.clip(image + grain, 0, 1).astype(np.float32)


def angiogram(random: np.random.Generator, shape: Shape) -> Picture:
    """Dark vessels over a bright background with a spine and a shutter."""
    y, x = _grid(shape)
    image = 0.66 + 0.07 * _cloud(random, shape, shape[0] / 4)
    image += 0.14 * np.exp(-(((x - 0.2) / 0.07) ** 2)) * (1 + 0.5 * np.sin(y * 40))
    tree = np.zeros(shape, np.float32)
    for _ in range(9):
        point, way = random.uniform(0.25, 0.75, 2) * shape, random.uniform(0, 2 * np.pi)
        width = float(random.uniform(2, 9))
        for _step in range(60):
            way += random.normal(0, 0.18)
            target = point + 6 * np.array([np.sin(way), np.cos(way)])
            line = [(int(p[1]), int(p[0])) for p in (point, target)]
            cv2.line(tree, line[0], line[1], 1.0, max(1, round(width)), cv2.LINE_AA)
            point, width = target, width * 0.985
    image -= 0.35 * cv2.GaussianBlur(tree, (0, 0), 1.5)
    image += 0.03 * _grain(random, shape, 0.7)
    image[np.hypot(x, y) > 0.56] = 0.02
    return np.clip(image, 0, 1).astype(np.float32)


def breast(random: np.random.Generator, shape: Shape) -> Picture:
    """A compressed breast from the left edge with strands of glandular tissue; air is dark."""
    y, x = _grid(shape)
    outline = ((x + 0.5 * shape[1] / max(shape)) / 0.5) ** 2 + (y / 0.42) ** 2
    strands = 0.40 + 0.05 * _cloud(random, shape, 24) + 0.02 * _cloud(random, shape, 6)
    strands += 0.08 * _cloud(random, shape, 120)
    image = np.where(outline < 1, strands * np.clip(3 * (1 - outline), 0, 1), 0.0)
    return np.clip(image + 0.008 * _grain(random, shape, 0), 0, 1).astype(np.float32)


def page(random: np.random.Generator, shape: Shape) -> Picture:
    """A report on the screen: an empty form with rules, dark or bright, as consoles draw them."""
    dark = random.random() < 0.6
    image = np.full(shape, 0.0 if dark else 1.0, np.float32)
    rule = 0.4 if dark else 0.7
    for row in range(shape[0] // 5, shape[0] - 20, shape[0] // 6):
        image[row : row + 2, 20 : shape[1] - 20] = rule
    return image


def capture(random: np.random.Generator, shape: Shape) -> Picture:
    """A page of a workstation with a small picture and a curve in it."""
    image = page(random, shape)
    rows, columns = shape[0] // 3, shape[1] // 3
    image[-rows - 10 : -10, -columns - 10 : -10] = ct(random, (rows, columns))
    level = 0.9 if image[0, 0] < 0.5 else 0.1
    steps = np.arange(columns)
    curve = shape[0] - 20 - rows * 0.5 * (1 + np.sin(steps / 40) * np.exp(-steps / columns))
    image[curve.astype(int), steps + 20] = level
    return image


TEXTURES: Final[dict[str, Callable[[np.random.Generator, Shape], Picture]]] = {
    "us": ultrasound, "ct": ct, "mr": mr, "cr": chest, "xa": angiogram, "mg": breast, "dose": page, "sc": capture,
}  # fmt: skip


def _grid(shape: Shape) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Row and column from the middle, in units of the longer side."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    return (rows - shape[0] / 2) / max(shape), (columns - shape[1] / 2) / max(shape)


def _grain(random: np.random.Generator, shape: Shape, blur: float) -> npt.NDArray[np.float64]:
    noise = random.standard_normal(shape)
    if blur:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), blur), np.float64)
        noise /= noise.std()
    return noise


def _cloud(random: np.random.Generator, shape: Shape, size: float) -> npt.NDArray[np.float64]:
    """Smooth noise of deviation 1 with lumps of about `size` pixels."""
    step = max(1.0, size / 3)
    small = random.standard_normal((int(shape[0] / step) + 4, int(shape[1] / step) + 4))
    small = np.asarray(cv2.GaussianBlur(small, (0, 0), 1.0), np.float64)
    cloud = cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray((cloud - cloud.mean()) / cloud.std())


def _ellipse(
    random: np.random.Generator,
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    reach: float,
    sizes: tuple[float, float],
) -> npt.NDArray[np.bool_]:
    (left, top), (wide, high) = random.uniform(-reach, reach, 2), random.uniform(*sizes, 2)
    return np.asarray(((x - left) / wide) ** 2 + ((y - top) / high) ** 2 < 1)
