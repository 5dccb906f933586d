"""Files of the front end: what is gone is not found, and an open page still gets those it was made with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.http import Http404, HttpRequest, HttpResponse
from django.test import override_settings

from collegium.kit.pages.built_files import BuiltFiles
from collegium.kit.pages.kept_files import generations, keep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def build(folder: Path, version: str) -> Path:
    """A front end with one hashed file."""
    folder.mkdir(exist_ok=True)
    (folder / f"shell-{version}.js").write_text(version)
    (folder / "assets.json").write_text(f'{{"shell.js": "shell-{version}.js"}}')
    return folder


def asked(path: str) -> HttpRequest:
    request = HttpRequest()
    request.path = request.path_info = path
    request.method = "GET"
    return request


def body_of(answer: HttpResponse) -> bytes:
    body = b"".join(answer)
    answer.close()
    return body


def not_found(_request: HttpRequest) -> HttpResponse:
    raise Http404


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Path]:
    with override_settings(KEPT_FILES=tmp_path / "kept"):
        yield tmp_path / "kept"


def test_a_page_of_the_version_before_still_gets_its_files(tmp_path: Path, kept: Path) -> None:
    keep(build(tmp_path / "old", "0ldversn"), kept)
    keep(build(tmp_path / "new", "newversn"), kept)

    answer = BuiltFiles(not_found)(asked("/static/built/shell-0ldversn.js"))

    assert answer.status_code == 200
    assert body_of(answer) == b"0ldversn"


def test_only_this_version_and_the_one_before_are_kept(tmp_path: Path, kept: Path) -> None:
    for version in ("versiona", "versionb", "versionc"):
        keep(build(tmp_path / version, version), kept)

    found = [min(one.glob("*.js")).name for one in generations(kept)]

    assert found == ["shell-versionc.js", "shell-versionb.js"]


def test_starting_the_same_version_again_keeps_one_copy_of_it(tmp_path: Path, kept: Path) -> None:
    keep(build(tmp_path / "one", "versiona"), kept)
    keep(tmp_path / "one", kept)

    assert len(generations(kept)) == 1


def test_a_file_that_was_built_away_is_served_from_the_copy(tmp_path: Path, kept: Path) -> None:
    built = build(tmp_path / "one", "versiona")
    keep(built, kept)
    pages = BuiltFiles(not_found)
    pages.served.files.clear()
    pages.served.add_file_to_dictionary("/static/built/shell-versiona.js", str(built / "shell-versiona.js"))
    (built / "shell-versiona.js").unlink()

    answer = pages(asked("/static/built/shell-versiona.js"))

    assert body_of(answer) == b"versiona"


@pytest.mark.usefixtures("kept")
def test_a_file_that_is_nowhere_is_not_found_and_no_fault_of_the_server(tmp_path: Path) -> None:
    gone = tmp_path / "gone.js"
    gone.write_text("once")
    pages = BuiltFiles(not_found)
    pages.served.add_file_to_dictionary("/static/built/gone.js", str(gone))
    gone.unlink()

    with pytest.raises(Http404):
        pages(asked("/static/built/gone.js"))
