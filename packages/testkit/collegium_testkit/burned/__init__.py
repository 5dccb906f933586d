"""Pictures with burned-in writing and the truth about every line, and a judge of what became of them.

Ultrasound, screens, projections, slices, in colour, grey and palette, plain and compressed; invented
persons and the words a radiologist needs; each with a twin without writing. The judge compares pixels.
"""

from collegium_testkit.burned.encode import pixels_of
from collegium_testkit.burned.generate import KINDS, scenes
from collegium_testkit.burned.judge import ENOUGH, hidden, is_untouched, kept
from collegium_testkit.burned.scene import Box, Kind, Line, Scene

__all__ = [
    "ENOUGH", "KINDS", "Box", "Kind", "Line", "Scene", "hidden", "is_untouched", "kept", "pixels_of", "scenes",
]  # fmt: skip
