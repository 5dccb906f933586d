"""The parts of the leak check that need no server: finding values in any form, opening answers, planning."""

from __future__ import annotations

import base64
import gzip
import io
import json
import struct
import zipfile
import zlib
from urllib.parse import quote

import pytest
from django.urls import path, re_path
from starlette.routing import Route as ByteRoute

from collegium.research.oversight.leaks.asking import Answer
from collegium.research.oversight.leaks.hidden import Hidden, Needle
from collegium.research.oversight.leaks.looking import texts
from collegium.research.oversight.leaks.plan import routes_of, unplanned
from collegium.research.oversight.leaks.report import Leak, Report

pytestmark = pytest.mark.requirement("R43")

CODE = "SUBJECT-0042"
UID, ROW = "2.25.123456789012345678901234567890", "0197a1c0-0000-7000-8000-0000000000aa"


def found(text: str, *values: str) -> set[str]:
    return {needle.value for needle in Hidden([Needle("kind", value) for value in values]).find(text)}


def answer(body: bytes, kind: str = "text/html", **headers: str) -> Answer:
    given = {"content-type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Answer(200, tuple(given.items()), body)


def leaks(one: Answer, value: str = CODE) -> bool:
    hidden = Hidden([Needle("kind", value)])
    return any(hidden.find(text) for _where, text in texts(one))


@pytest.mark.parametrize(
    "written",
    [
        "20240105", "2024-01-05", "05/01/2024", "1/5/2024", "5 Jan 2024", "5 January 2024", "Jan 5, 2024",
        "Jan. 5, 2024", "20240105081500", "05.01.2024", "5.1.2024", "2024/01/05",
    ],
)  # fmt: skip
def test_a_day_is_found_however_it_is_written(written: str) -> None:
    assert found(f"on {written} at noon", "20240105") == {"20240105"}


@pytest.mark.parametrize("text", ["120240105", "2024-01-06", "15 Jan 2024", "2.25.20240105"])
def test_another_number_is_not_that_day(text: str) -> None:
    assert found(text.replace("2.25.", "2.25.9"), "20240105") == set()


def test_ids_are_found_in_any_case_and_without_hyphens() -> None:
    assert found(f"grant:{ROW.upper()}", ROW) == {ROW}
    assert found(ROW.replace("-", ""), ROW) == {ROW}
    assert found(f"/studies/{UID}/series", UID) == {UID}


def test_a_longer_uid_is_another_uid() -> None:
    assert found(f"{UID}.1 and {UID}7", UID) == set()


def test_a_short_word_counts_alone_and_a_shorter_one_is_not_looked_for() -> None:
    assert found("site K-77x", "K-77") == set()
    assert found("site K-77.", "K-77") == {"K-77"}
    assert [needle.value for needle in Hidden([Needle("site", "01")]).unsearchable] == ["01"]


def test_what_may_be_seen_anyway_is_not_looked_for() -> None:
    hidden = Hidden([Needle("visit", "Baseline")], seen="Sum at baseline")

    assert not hidden.find("Baseline")
    assert [needle.kind for needle in hidden.unsearchable] == ["visit"]


def png() -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    packed = b"Comment\0\0" + zlib.compress(CODE.encode())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"zTXt", packed) + chunk(b"IEND", b"")


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("results.csv", f"subject\n{CODE}\n")
    return out.getvalue()


PART = (
    b"--b\r\nContent-Type: application/octet-stream\r\nContent-Location: /"
    + CODE.encode()
    + b"\r\n\r\n\0\1\r\n--b--"
)
HIDING = {
    "a page": answer(f"<p>{CODE}</p>".encode()),
    "lower case": answer(CODE.lower().encode()),
    "entities": answer("".join(f"&#{ord(letter)};" for letter in CODE).encode()),
    "percent": answer(f"?next={quote(quote(CODE, safe=''), safe='').replace('-', '%2D')}".encode()),
    "JSON escapes": answer(
        "".join(f"\\u{ord(one):04x}" for one in CODE).join('""').encode(), "application/json"
    ),
    "base64": answer(b"token=" + base64.b64encode(f'{{"subject": "{CODE}"}}'.encode())),
    "base64 inside a word": answer(b"xx" + base64.urlsafe_b64encode(f"0123456789{CODE}".encode())),
    "hex": answer(CODE.encode().hex().encode()),
    "gzip": answer(gzip.compress(CODE.encode()), content_encoding="gzip"),
    "a header": answer(b"", x_subject=CODE),
    "a cookie": answer(b"", set_cookie=f"s={base64.b64encode(CODE.encode()).decode()}"),
    "a file name": answer(b"", content_disposition=f"attachment; filename={CODE}.csv"),
    "the header of a part": answer(PART, "multipart/related; boundary=b"),
    "text of a PNG": answer(png(), "image/png"),
    "an archive": answer(archive(), "application/zip"),
    "a comment of a JPEG": answer(b"\xff\xd8\xff\xfe\0\x10" + CODE.encode(), "image/jpeg"),
    "bytes": answer(b"\0\1\2" + CODE.encode() + b"\xff", "application/octet-stream"),
}


@pytest.mark.parametrize("way", HIDING)
def test_a_value_is_found_wherever_it_hides(way: str) -> None:
    assert leaks(HIDING[way])


@pytest.mark.parametrize("way", HIDING)
def test_nothing_is_found_where_nothing_is(way: str) -> None:
    assert not leaks(HIDING[way], "SUBJECT-0043")


def nowhere() -> None:
    """A page that is never asked for."""


def test_every_route_is_known_by_its_address_and_parts() -> None:
    pages = [path("tasks/<uuid:task_id>/read", nowhere)]  # type: ignore[arg-type]

    routes = routes_of(pages, [ByteRoute("/dicom-web/{rest:path}", nowhere)])

    assert [(route.address, route.parts) for route in routes] == [
        ("dicom-web/{rest}", ("rest",)),
        ("tasks/{task_id}/read", ("task_id",)),
    ]
    assert routes[1].pattern.fullmatch(f"/tasks/{ROW}/read")
    assert unplanned(routes) == ()


def test_a_route_with_an_unknown_part_stops_the_check_and_says_what_to_add() -> None:
    pages = [path("secrets/<uuid:secret_id>/", nowhere)]  # type: ignore[arg-type]

    (said,) = unplanned(routes_of(pages, []))

    assert "/secrets/{secret_id}/" in said
    assert "PARTS" in said


def test_a_route_by_regular_expression_has_no_plan() -> None:
    (said,) = unplanned(routes_of([re_path(r"^old/(?P<secret>\d{3})/$", nowhere)], []))  # type: ignore[arg-type]

    assert "PARTS" in said


def test_a_report_hides_values_unless_asked_and_is_not_clean_with_a_leak() -> None:
    report = Report("Trial", people=("Ada (Reader)",), routes=2, requests=3)
    report.add([Leak("/tasks/", "Ada (Reader)", "subject code", "page", CODE, "/tasks/?q=1")] * 2)

    hidden, shown = "\n".join(report.lines()), "\n".join(report.lines(show=True))

    assert not report.is_clean
    assert CODE not in hidden + report.to_json()
    assert CODE in shown
    assert len(json.loads(report.to_json(show=True))["leaks"]) == 1


def test_a_route_nobody_planned_or_a_fault_is_not_clean() -> None:
    assert not Report("Trial", unplanned=("/x",)).is_clean
    assert not Report("Trial", broken=["/x: 500"]).is_clean
    assert Report("Trial").is_clean
