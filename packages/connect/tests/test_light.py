"""What a process of the gateway loads: no codecs, no text models and no updater where no picture is looked at."""

import subprocess
import sys

import pytest

HEAVY = {"cv2", "imagecodecs", "onnxruntime", "rapidocr_onnxruntime", "tuf", "pynetdicom"}
PROGRAM = "import sys, {module}; print(*sorted({names!r} & set(sys.modules)))"


def loaded(module: str, names: set[str]) -> str:
    """Those of some modules that another one brings along, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module, names=names)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.parametrize(
    "module",
    ["collegium_connect.service", "collegium_connect.hands.hand", "collegium_connect.inspection.worker"],
)
def test_a_process_loads_nothing_for_pictures_before_the_first_one(module: str) -> None:
    assert loaded(module, HEAVY) == ""


def test_the_command_line_loads_a_command_when_it_is_asked_for() -> None:
    """The processes that the gateway starts load the program's first module, and with it no other command."""
    assert loaded("collegium_connect.cli.__main__", {"collegium_connect.service", "pydicom", "httpx"}) == ""


def test_a_service_is_told_alive_before_the_gateway_is_loaded() -> None:
    assert loaded("collegium_connect.cli.up", {"collegium_connect.service", "pydicom", "httpx"}) == ""
