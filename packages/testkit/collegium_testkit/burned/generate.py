"""Make scenes of every kind, one after the other; the same seed and number give the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from collegium_testkit.burned import words
from collegium_testkit.burned.layout import Style, paint, place
from collegium_testkit.burned.objects import Camera, file_of, stored_values, syntaxes_for
from collegium_testkit.burned.scene import Kind, Scene
from collegium_testkit.burned.textures import TEXTURES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from collegium_testkit.burned.textures import Picture

_CLASS: Final = "1.2.840.10008.5.1.4.1.1."
_PLAIN: Final = (1.0, 1.0, 0.8, 0.8, 0.65, 0.5, 0.5, 0.3)
_FAINT: Final = (1.0, 0.8, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.2)
_SCREEN: Final = ("DERIVED", "SECONDARY", "OTHER", "SCREEN SAVE")


@dataclass(frozen=True)
class _Recipe:
    """One kind of scene."""

    field: str
    """Which words and which texture."""
    shape: tuple[int, int]
    camera: Camera
    style: Style
    lines: tuple[int, int]
    """How many identifying and diagnostic ones."""
    frames: int = 1


_CORNERS, _MIXED = Style((9, 22), _PLAIN, 0.1), Style((8, 20), _FAINT, 0.6)
_SMALL, _LARGE = Style((8, 12), _FAINT, 0.5), Style((14, 34), _FAINT, 0.6)
_FORM = Style((9, 20), _PLAIN, 0.35)
_US, _US_CINE, _SC, _CT, _MR = "6.1", "3.1", "7", "2", "4"


def _camera(suffix: str, modality: str, photometric: str, bits: int, *kind: str) -> Camera:
    return Camera(_CLASS + suffix, modality, photometric, bits, image_type=kind or ("ORIGINAL", "PRIMARY"))


_GREY: Final = "MONOCHROME2"
_SLICE: Final = Camera(
    _CLASS + _CT, "CT", _GREY, 16, signed=True, image_type=("ORIGINAL", "PRIMARY", "AXIAL")
)
_RECIPES: Final[dict[str, _Recipe]] = {
    "us_rgb": _Recipe("us", (600, 800), _camera(_US, "US", "RGB", 8), _CORNERS, (5, 9)),
    "us_grey": _Recipe("us", (480, 640), _camera(_US, "US", _GREY, 8), _CORNERS, (4, 7)),
    "us_cine": _Recipe("us", (480, 640), _camera(_US_CINE, "US", "RGB", 8), _CORNERS, (4, 6), frames=4),
    "us_palette": _Recipe("us", (480, 640), _camera(_US, "US", "PALETTE COLOR", 8), _CORNERS, (4, 6)),
    "sc_rgb": _Recipe("sc", (768, 1024), _camera(_SC, "OT", "RGB", 8, *_SCREEN[:2]), _FORM, (6, 10)),
    "sc_grey": _Recipe("sc", (600, 800), _camera(_SC, "OT", _GREY, 8, *_SCREEN[:2]), _FORM, (5, 8)),
    "cr": _Recipe("cr", (1200, 1000), _camera("1", "CR", "MONOCHROME1", 12), _LARGE, (4, 5)),
    "dx": _Recipe("cr", (1100, 1200), _camera("1.1", "DX", _GREY, 14), _LARGE, (4, 5)),
    "dose": _Recipe("dose", (768, 1024), _camera(_SC, "CT", _GREY, 8, *_SCREEN), _FORM, (5, 14)),
    "dose_ct": _Recipe("dose", (512, 512), _camera(_CT, "CT", _GREY, 12, *_SCREEN), _FORM, (4, 9)),
    "ct": _Recipe("ct", (512, 512), _SLICE, _MIXED, (4, 5)),
    "mr": _Recipe(
        "mr", (320, 320), _camera(_MR, "MR", _GREY, 12, "ORIGINAL", "PRIMARY", "M"), _SMALL, (4, 5)
    ),
    "xa": _Recipe("xa", (512, 512), _camera("12.1", "XA", _GREY, 8), _MIXED, (5, 5), frames=3),
    "mg": _Recipe("mg", (1280, 1024), _camera("1.2", "MG", "MONOCHROME1", 12), _LARGE, (4, 3)),
}

KINDS: Final = tuple(_RECIPES)


def scenes(
    seed: int, count: int = len(KINDS), *, kinds: Sequence[str] = KINDS, with_text: bool = True
) -> Iterator[Scene]:
    """Scenes of these kinds in turn, until there are `count`.

    Args:
        seed: everything follows from it and from a scene's number.
        count: how many; the kinds come round again.
        kinds: some of `KINDS`.
        with_text: False gives the twins: the same pictures and headers without any writing.
    """
    for number in range(count):
        yield _scene(seed, number, kinds[number % len(kinds)], with_text=with_text)


def _scene(seed: int, number: int, kind: str, *, with_text: bool) -> Scene:
    recipe = _RECIPES[kind]
    look, letters, header = (np.random.default_rng([seed, number, stream]) for stream in range(3))
    who = words.identity(letters)
    plain = _frames(look, recipe)
    placed = []
    if with_text:
        lines = _lines(letters, recipe, who)
        shown = [_shown(letters, recipe.frames) for _ in lines]
        placed = place(letters, plain[0], lines, recipe.style, shown)
    written = [paint(picture, placed, frame) for frame, picture in enumerate(plain)]
    if recipe.field == "us" and look.random() < 0.3:
        noise = [0.012 * look.standard_normal(recipe.shape) for _ in plain]
        written, plain = (list(map(_as_video, some, noise)) for some in (written, plain))
    choices = syntaxes_for(recipe.camera)
    syntax = choices[int(header.integers(len(choices)))]
    values = stored_values(header, recipe.camera, written, plain)
    name = f"{kind}-{number}-{syntax}"
    data = file_of(header, recipe.camera, values, who, syntax, f"{seed}/{number}/{kind}")
    return Scene(name, kind, data, tuple(each.line for each in placed), who)


def _lines(random: np.random.Generator, recipe: _Recipe, who: words.Identity) -> list[tuple[Kind, str]]:
    """The patient's name first, the rest mixed."""
    named, *rest = [(Kind.IDENTIFYING, line) for line in words.identifying(random, who)[: recipe.lines[0]]]
    rest += [(Kind.DIAGNOSTIC, line) for line in words.diagnostic(random, recipe.field)[: recipe.lines[1]]]
    return [named, *(rest[index] for index in random.permutation(len(rest)))]


def _shown(random: np.random.Generator, frames: int) -> tuple[int, ...]:
    """On all frames, or, one time in five, from a later one on."""
    first = int(random.integers(1, frames)) if frames > 1 and random.random() < 0.2 else 0
    return tuple(range(first, frames))


def _frames(random: np.random.Generator, recipe: _Recipe) -> list[Picture]:
    """One texture; what moves between frames is a little of its brightness."""
    picture = TEXTURES[recipe.field](random, recipe.shape)
    frames = [picture]
    for _ in range(recipe.frames - 1):
        flicker = 1 + 0.08 * random.standard_normal(recipe.shape).astype(np.float32)
        frames.append(np.clip(picture * flicker, 0, 1))
    return frames


def _as_video(picture: Picture, noise: npt.NDArray[np.float64]) -> Picture:
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 0.6) + noise, 0, 1).astype(np.float32)
