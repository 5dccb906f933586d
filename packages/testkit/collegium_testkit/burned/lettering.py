"""Draw a line of words as a mask of ink, in the kinds of letters that machines burn in.

Only fonts that come with the drawing libraries, so that every machine draws the same: OpenCV's
built-in outlines in several weights, Pillow's outline and its dot matrix, and a plotter's strokes.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Mask = npt.NDArray[np.float32]
"""Coverage of each pixel by ink, 0 to 1, cropped to the ink."""

FONTS: Final = (
    "sans-300", "sans-400", "sans-700", "italic-400", "uni-400", "pillow", "pillow-bold", "pillow-narrow",
    "pillow-wide", "dots", "strokes-1", "strokes-2",
)  # fmt: skip
_CAPITAL: Final = 0.72
"""Height of a capital as a share of the size of an outline font."""

# A plotter's letters: strokes on a grid 4 wide and 6 high, "xy" for a point, a blank between strokes.
_STROKES: Final = {
    "A": "062046 1434", "B": "0600304142330333 3344453606", "C": "4130100105163645", "D": "06002042442606",
    "E": "40000646 0333", "F": "400006 0333", "G": "41301001051636454323", "H": "0006 4046 0343",
    "I": "1030 2026 1636", "J": "4045361605", "K": "0006 4003 1346", "L": "000646", "M": "0600234046",
    "N": "06004640", "O": "103041453616050110", "P": "06003041423303", "Q": "103041453616050110 2446",
    "R": "06003041423303 2346", "S": "413010010213334445361605", "T": "0040 2026", "U": "000516364540",
    "V": "002640", "W": "0016233640", "X": "0046 4006", "Y": "002340 2326", "Z": "00400646",
    "0": "103041453616050110 3115", "1": "112026 1636", "2": "01103041420646", "3": "01103041423313 334445361605",
    "4": "36300444",
    "5": "400003334445361605", "6": "413010010516364544331304", "7": "004016",
    "8": "133342413010010213 1304051636454433", "9": "051636454130100102133342", ".": "2526", ",": "2516",
    ":": "2122 2425", "-": "1333", "/": "4006", "+": "1333 2224", "(": "30212536", ")": "10212516",
    "%": "4006 0011 3546", "'": "2021", "#": "1016 3036 0242 0444", "=": "0242 0444", "*": "0244 0442 2125",
    "_": "0646", "^": "022042",
}  # fmt: skip


def draw(words: str, font: str, height: int) -> Mask:
    """The ink of `words` with capitals `height` pixels high."""
    family, _, variant = font.partition("-")
    if family == "strokes":
        return _cropped(_strokes(words.upper(), height, int(variant)))
    if family == "dots":
        return _cropped(_dots(words, height))
    if family == "pillow":
        return _cropped(_pillow(words, height, variant))
    return _cropped(_opencv(words, height, family, int(variant)))


def _opencv(words: str, height: int, family: str, weight: int) -> Mask:
    size = max(8, round(height / _CAPITAL))
    canvas = np.zeros((size * 3, size * (len(words) + 4), 3), np.uint8)
    # This face has no variants: it takes its own weight only.
    cv2.putText(canvas, words, (size, size * 2), (255, 255, 255), cv2.FontFace(family), size, weight)
    return np.asarray(canvas[:, :, 0] / 255, np.float32)


def _pillow(words: str, height: int, variant: str) -> Mask:
    size = max(8, round(height / _CAPITAL))
    image = Image.new("L", (size * (len(words) + 4), size * 3))
    bold = size // 16 if variant == "bold" else 0
    ImageDraw.Draw(image).text(
        (size, size), words, fill=255, font=ImageFont.load_default(size), stroke_width=bold, stroke_fill=255
    )
    mask = np.asarray(np.asarray(image) / 255, np.float32)
    stretch = {"narrow": 0.75, "wide": 1.25}.get(variant)
    if stretch is None:
        return mask
    return cv2.resize(mask, None, fx=stretch, fy=1, interpolation=cv2.INTER_AREA).astype(np.float32)


def _dots(words: str, height: int) -> Mask:
    """Letters of a fixed grid of 6 x 11, enlarged whole: what old consoles write."""
    image = Image.new("L", (6 * len(words) + 8, 16))
    ImageDraw.Draw(image).text((2, 2), words, fill=255, font=ImageFont.load_default_imagefont())
    mask = (np.asarray(image, np.float32) > 127).astype(np.float32)
    times = max(1, round(height / 7))
    return np.kron(mask, np.ones((times, times), np.float32))


def _strokes(words: str, height: int, thickness: int) -> Mask:
    unit = height / 6
    width = round(unit * 6 * len(words) + 4 * height)
    canvas = np.zeros((height * 3, width), np.uint8)
    for place, letter in enumerate(words):
        for stroke in _STROKES.get(letter, "").split():
            points = [
                (height + (place * 5.6 + int(x)) * unit, height + int(y) * unit)
                for x, y in zip(stroke[::2], stroke[1::2], strict=True)
            ]
            line = np.rint(np.array(points) * 16).astype(np.int32).reshape(-1, 1, 2)
            thick = max(1, round(thickness * height / 16))
            cv2.polylines(
                canvas, [line], isClosed=False, color=255, thickness=thick, lineType=cv2.LINE_AA, shift=4
            )
    return np.asarray(canvas / 255, np.float32)


def _cropped(mask: Mask) -> Mask:
    rows, columns = np.flatnonzero(mask.max(1) > 0), np.flatnonzero(mask.max(0) > 0)
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
