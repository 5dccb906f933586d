"""What `make test` runs in two parts leaves no test out."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def test_tests_that_need_a_browser_lie_where_their_run_looks_for_them() -> None:
    tests = [*(REPOSITORY / "packages").glob("*/tests/**/*.py")]

    assert tests
    assert [path for path in tests if "mark.browser" in path.read_text("utf-8")] == []
