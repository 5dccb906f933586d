"""What a recipe says about the parts of objects that are documents of their own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Documents:
    """One decision a part; the defaults are the strictest that leave an object.

    `C` cleans the words and needs the option that allows it, `X` leaves no word of it.
    """

    encapsulated: str = "reject"
    """PDF, CDA and other documents inside an object: `reject` the object, or `X` drop the document."""
    sr_text: str = "X"
    """Text and names of structured reports: `C` needs clean_structured_content."""
    presentation_text: str = "X"
    """Text and graphics of presentation states: `C` needs clean_graphics."""
    waveform_annotations: str = "X"
    """Text on waveforms: `C` needs clean_structured_content."""
    overlays: str = "X"
    curves: str = "X"
    icons: str = "X"
    dicomdir: str = "reject"
    preamble: str = "zero"
