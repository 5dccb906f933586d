"""The register of requirements and the tests that name them agree, and the tool that says so is right."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
TOOL = REPOSITORY / "tools" / "trace.py"
REGISTER = """\
- id: R40
  text: A blinded reader cannot obtain patient sex.
  product: research
  risk: high
  state: {state}
"""
# Put together here, so that the marks of these samples are not taken for marks of this file.
MARK = "@pytest.mark.requirement"


def trace(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), "--root", str(root), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small repository: one requirement, one package with a folder for tests."""
    (tmp_path / "docs/validate/requirements").mkdir(parents=True)
    (tmp_path / "packages/one/tests").mkdir(parents=True)
    register(tmp_path, REGISTER.format(state="planned"))
    return tmp_path


def register(root: Path, text: str) -> None:
    (root / "docs/validate/requirements/research.yaml").write_text(text, encoding="utf-8")


def write_test(root: Path, source: str) -> None:
    (root / "packages/one/tests/test_one.py").write_text(f"import pytest\n\n{source}", encoding="utf-8")


def test_the_register_and_the_tests_of_this_repository_agree() -> None:
    result = trace(REPOSITORY)

    assert result.returncode == 0, result.stderr


def test_an_id_that_is_not_in_the_register_is_refused(project: Path) -> None:
    write_test(project, f'{MARK}("R41")\ndef test_a():\n    pass\n')

    result = trace(project)

    assert result.returncode == 1
    assert "packages/one/tests/test_one.py:4: test_a names R41" in result.stderr


def test_a_done_requirement_without_a_test_is_refused(project: Path) -> None:
    register(project, REGISTER.format(state="done"))

    result = trace(project)

    assert result.returncode == 1
    assert "R40 is marked done" in result.stderr


def test_a_done_requirement_with_a_test_is_accepted(project: Path) -> None:
    register(project, REGISTER.format(state="done"))
    write_test(project, f'{MARK}("R40")\ndef test_a():\n    pass\n')

    result = trace(project)

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("mark", ["skip", "skip(reason='later')", "xfail(strict=True)", "soak"])
def test_a_test_that_no_ordinary_run_passes_does_not_prove_a_done_requirement(
    project: Path, mark: str
) -> None:
    register(project, REGISTER.format(state="done"))
    write_test(project, f'@pytest.mark.{mark}\n{MARK}("R40")\ndef test_a():\n    pass\n')

    result = trace(project)

    assert result.returncode == 1
    assert "R40 is marked done" in result.stderr


@pytest.mark.parametrize(
    "source",
    [
        'pytestmark = pytest.mark.requirement("R40")\n\ndef test_a():\n    pass\n',
        'pytestmark = [pytest.mark.journey, pytest.mark.requirement("R40")]\n\ndef test_a():\n    pass\n',
        f'{MARK}("R40")\nclass TestA:\n    def test_a(self):\n        pass\n',
        f'{MARK}("R40")\nasync def test_a():\n    pass\n',
    ],
    ids=["module", "module-list", "class", "async"],
)
def test_a_mark_is_found_wherever_pytest_finds_it(project: Path, source: str) -> None:
    write_test(project, source)

    result = trace(project, "--write")

    assert result.returncode == 0, result.stderr
    assert "test_a](../../packages/one/tests/test_one.py)" in page_of(project)


def page_of(root: Path) -> str:
    return (root / "docs/validate/traceability.md").read_text(encoding="utf-8")


def test_an_id_that_is_computed_is_refused(project: Path) -> None:
    write_test(project, f'{MARK}("R" + "40")\ndef test_a():\n    pass\n')

    result = trace(project)

    assert result.returncode == 1
    assert "an id must be written out as text" in result.stderr


def test_the_page_is_out_of_date_after_a_test_was_removed(project: Path) -> None:
    write_test(project, f'{MARK}("R40")\ndef test_a():\n    pass\n')
    assert trace(project, "--write").returncode == 0
    assert trace(project, "--check").returncode == 0

    write_test(project, "")
    result = trace(project, "--check")

    assert result.returncode == 1
    assert "traceability.md is out of date" in result.stderr


def test_what_is_not_true_yet_stands_beside_the_state(project: Path) -> None:
    register(project, REGISTER.format(state="partial") + "  note: Not in reports.\n")

    result = trace(project, "--write")

    assert result.returncode == 0, result.stderr
    assert "| partial: Not in reports. |" in page_of(project)


def test_a_page_is_not_written_while_there_are_faults(project: Path) -> None:
    write_test(project, f'{MARK}("R41")\ndef test_a():\n    pass\n')

    result = trace(project, "--write")

    assert result.returncode == 1
    assert not (project / "docs/validate/traceability.md").exists()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (REGISTER.format(state="finished"), "state 'finished' is none of"),
        (REGISTER.format(state="planned") * 2, "R40 is already in"),
        (REGISTER.format(state="planned").replace("R40", "R4"), "is not a letter and two digits"),
        (REGISTER.format(state="planned").replace("  risk: high\n", ""), "needs exactly the fields"),
        (REGISTER.format(state="planned") + "  risk: low\n", "duplicate key"),
        ("id: R40\n", "must be a list"),
        ("", "must be a list"),
    ],
    ids=["state", "twice", "id", "missing", "duplicate", "mapping", "empty"],
)
def test_a_register_that_is_not_well_formed_is_refused(project: Path, text: str, complaint: str) -> None:
    register(project, text)

    result = trace(project)

    assert result.returncode == 1
    assert complaint in result.stderr
