"""Faults put into the running product, each of which opens one leak. The leak check must find every one.

Each is a small, believable slip: a helpful header, a chatty error, a file name, a search that looks one column
further. A mutant takes the project of `canaried` and holds while its context is open.
"""

from __future__ import annotations

import base64
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import quote

from tests.security.canaried import DAY, SITE, SUBJECTS, VISIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.security.canaried import Project

    Mutant = Callable[[Project], AbstractContextManager[object]]

SUBJECT = SUBJECTS[0]
MUTANTS: dict[str, Mutant] = {}


def mutant(found: Callable[[Project], Iterator[None]]) -> Callable[[Project], Iterator[None]]:
    """Enter a fault under its name, in words."""
    MUTANTS[found.__name__.replace("_", " ")] = contextmanager(found)
    return found


@contextmanager
def wrapped(target: str, change: Callable[..., Any]) -> Iterator[None]:  # Any: whatever the original gives
    """Replace a function by `change(original, *its arguments)`."""
    with ExitStack() as stack:
        patcher = patch(target)
        original = patcher.get_original()[0]
        stack.enter_context(patch(target, lambda *args, **named: change(original, *args, **named)))
        yield


def on_frames(change: Callable[[Any], None]) -> AbstractContextManager[None]:  # Any: Starlette's response
    def changed(original: Any, *args: Any) -> Any:  # Any: the product's own types
        response = original(*args)
        change(response)
        return response

    return wrapped("collegium.imaging.dicomweb.api._framed", changed)


def on_pages(change: Callable[[Any], None]) -> AbstractContextManager[None]:  # Any: Django's response
    def changed(original: Any, self: Any, request: Any) -> Any:  # Any: Django's own types
        response = original(self, request)
        change(response)
        return response

    return wrapped("collegium.kit.pages.policy.ContentSecurityPolicy.__call__", changed)


def said(text: str) -> Callable[[Any], None]:  # Any: Django's response
    """More text at the end of a page."""

    def change(response: Any) -> None:  # Any: Django's response
        response.content += text.encode()

    return change


@mutant
def a_header_of_a_frame_names_the_day(_project: Project) -> Iterator[None]:
    with on_frames(lambda response: response.headers.update({"X-Study-Date": DAY})):
        yield


@mutant
def a_frame_has_a_validator(_project: Project) -> Iterator[None]:
    with on_frames(lambda response: response.headers.update({"ETag": '"5d41402a"'})):
        yield


@mutant
def a_frame_has_a_file_name(_project: Project) -> Iterator[None]:
    name = f'attachment; filename="{SUBJECT}.dcm"'
    with on_frames(lambda response: response.headers.update({"Content-Disposition": name})):
        yield


@mutant
def the_header_of_a_part_gives_the_archives_address(project: Project) -> Iterator[None]:
    head = f"Content-Location: /studies/{project.known['study_uid']}\r\nContent-Type".encode()

    def change(response: Any) -> None:  # Any: Starlette's response
        response.body = response.body.replace(b"Content-Type", head, 1)
        response.headers["Content-Length"] = str(len(response.body))

    with on_frames(change):
        yield


@mutant
def an_error_names_what_was_not_found(project: Project) -> Iterator[None]:
    target = "collegium.imaging.archive.errors.ImageNotFound.message"
    with patch(target, f"There is no such frame in {project.known['sop_instance_uid']}."):
        yield


@mutant
def the_sex_renders(_project: Project) -> Iterator[None]:
    from collegium.imaging.archive.attributes import RENDERING

    with patch("collegium.imaging.archive.attributes.RENDERING", RENDERING | {0x00100040}):
        yield


@mutant
def the_voltage_renders(_project: Project) -> Iterator[None]:
    from collegium.imaging.archive.attributes import RENDERING

    with patch("collegium.imaging.archive.attributes.RENDERING", RENDERING | {0x00180060}):
        yield


@mutant
def the_subjects_code_is_the_patients_name(_project: Project) -> Iterator[None]:
    target = "collegium.imaging.dicomweb.projection._subject"
    with wrapped(target, lambda original, _label: original(SUBJECT)):
        yield


@mutant
def uids_are_those_of_the_archive(_project: Project) -> Iterator[None]:
    with wrapped("collegium.imaging.grants.uids.projected", lambda _original, _key, uid: uid):
        yield


@mutant
def all_grants_share_one_key(_project: Project) -> Iterator[None]:
    with wrapped(
        "collegium.imaging.grants.uids.projected", lambda original, _key, uid: original(b"k" * 32, uid)
    ):
        yield


@mutant
def a_list_is_searched_by_the_subjects_code(project: Project) -> Iterator[None]:
    def changed(original: Any, text: str) -> Any:  # Any: the product's own types
        return original(project.labels.get(text, text))

    with wrapped("collegium.kit.pages.lists.storable", changed):
        yield


@mutant
def tasks_are_listed_as_exams_arrived(_project: Project) -> Iterator[None]:
    def changed(original: Any, *args: Any, **named: Any) -> Any:  # Any: a query set
        return original(*args, **named).order_by("listing")

    with wrapped("collegium.research.pipeline.queries.my_tasks", changed):
        yield


@mutant
def the_trail_tells_the_study(project: Project) -> Iterator[None]:
    told = f"study {project.known['study_uid']}"
    with wrapped("collegium.trust.audit.words._detail", lambda *_args, **_named: told):
        yield


@mutant
def the_trail_tells_another_reader(project: Project) -> Iterator[None]:
    with wrapped("collegium.trust.audit.words._who", lambda *_: project.second.full_name):
        yield


@mutant
def a_notification_tells_the_subject(_project: Project) -> Iterator[None]:
    target = "collegium.notifications.words.what"
    with wrapped(target, lambda original, *args: f"{original(*args)} of {SUBJECT}"):
        yield


@mutant
def a_task_tells_its_visit(_project: Project) -> Iterator[None]:
    def changed(original: Any, labels: Any, language: Any) -> Any:  # Any: the product's own types
        return f"{original(labels, language)}: {VISIT.lower()}"

    with wrapped("collegium.research.reads.pages.in_language", changed):
        yield


@mutant
def a_page_tells_the_day_in_words(_project: Project) -> Iterator[None]:
    with on_pages(said("<p>Exam of 5 June 1987</p>")):
        yield


@mutant
def an_address_holds_the_exam(project: Project) -> Iterator[None]:
    with on_pages(said(f'<a data-open="/exams/{project.known["exam_id"]}">Open</a>')):
        yield


@mutant
def a_cookie_holds_the_subject_in_base64(_project: Project) -> Iterator[None]:
    packed = base64.urlsafe_b64encode(f'{{"subject": "{SUBJECT}"}}'.encode()).decode()
    with on_pages(lambda response: response.set_cookie("context", packed)):
        yield


@mutant
def a_page_holds_the_blob_in_hex(project: Project) -> Iterator[None]:
    with on_pages(said(f"<!-- {project.known['blob_id'].replace('-', '').upper()} -->")):
        yield


@mutant
def readers_may_open_every_page(_project: Project) -> Iterator[None]:
    with wrapped("collegium.trust.access.pages.require", lambda *_: None):
        yield


@mutant
def marks_carry_the_digest_of_their_image(project: Project) -> Iterator[None]:
    def changed(original: Any, *args: Any) -> Any:  # Any: JSON
        response = original(*args)
        response.content = response.content.replace(
            b'{"marks"', f'{{"sha": "{project.known["sha256"]}", "marks"'.encode()
        )
        return response

    with wrapped("collegium.imaging.grants.api.JsonResponse", changed):
        yield


@mutant
def a_redirect_names_the_site(_project: Project) -> Iterator[None]:
    with on_pages(lambda response: response.headers.setdefault("HX-Push-Url", f"/?site={quote(SITE)}")):
        yield


@mutant
def a_segmentation_refers_to_the_archive(_project: Project) -> Iterator[None]:
    def changed(original: Any, **named: Any) -> Any:  # Any: the product's own types
        return original(**{**named, "uid": lambda uid: uid})

    with wrapped("collegium.imaging.dicomweb.projection.Rewriting", changed):
        yield


@mutant
def a_segmentation_is_served_as_it_is_stored(_project: Project) -> Iterator[None]:
    with wrapped("collegium.imaging.dicomweb.projection.rewrite", lambda _original, raw, _rewriting: raw):
        yield
