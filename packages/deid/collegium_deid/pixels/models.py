"""The text models: PP-OCRv4 detection and recognition as they lie in the wheel of rapidocr-onnxruntime.

Its code is not imported. One session each a process, made when first needed, one thread each: several
pictures at a time are for several processes.
"""

from __future__ import annotations

import functools
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

# Unless told so before it is loaded, it writes a database below HOME and reports to its maker over the network.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime

from collegium_deid.errors import Rejected

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DETECT: Final = "ch_PP-OCRv4_det_infer.onnx"
_READ: Final = "ch_PP-OCRv4_rec_infer.onnx"


class Model:
    """One network with one input and one output."""

    def __init__(self, name: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Every picture has another size: plans kept per size cost a third more memory and save nothing.
        options.enable_mem_pattern = False
        self._session: Any = onnxruntime.InferenceSession(  # no types are shipped
            _path(name).read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The output for a batch (picture, channel, row, column)."""
        output: NDArray[np.float32] = self._session.run(None, {self._input: batch})[0]
        return output

    def characters(self) -> str:
        """The alphabet, one line a character, of a recognition model."""
        return str(self._session.get_modelmeta().custom_metadata_map["character"])


@functools.cache
def detection() -> Model:
    """Finds text."""
    return Model(_DETECT)


@functools.cache
def recognition() -> Model:
    """Reads a line."""
    return Model(_READ)


def _path(name: str) -> Path:
    # Looked up without importing the package: its own imports pull in a second OpenCV and shapely.
    found = find_spec("rapidocr_onnxruntime")
    if found is None or found.origin is None:
        raise Rejected(
            "deid.pixels.not_installed", "The text models are not installed: collegium-deid[pixels]."
        )
    return Path(found.origin).parent / "models" / name
