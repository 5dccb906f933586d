"""Search for bytes that break the de-identifier: `make fuzz-deid`, or with libFuzzer's options behind it.

New inputs go into the folder named first; what breaks is written to `crash-…` there. A found one belongs
into `corpus` with its mending, so that the tests replay it for ever.
"""

import runpy
import sys
from pathlib import Path
from typing import Final

import atheris

_HERE: Final = Path(__file__).parent


def main() -> None:
    """Run until stopped, or as long as -max_total_time says."""
    with atheris.instrument_imports(include=["collegium_deid"]):
        target = runpy.run_path(str(_HERE / "target.py"))
    options = ["-timeout=10", "-max_len=16384"]
    atheris.Setup([*sys.argv, str(_HERE / "corpus"), *options], target["one_input"])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
