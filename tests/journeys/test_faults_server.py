"""The server loses a part, its room or its rules while an exam is on its way: nothing is lost, nothing doubled."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from contextlib import ExitStack, closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collegium_deid import load_recipe
from collegium_testkit import phantoms
from collegium_testkit.patience import until
from tests.journeys.hospital import Hospital

if TYPE_CHECKING:
    from collections.abc import Iterator

STRICT = load_recipe("strict").text
pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

WORKER = "collegium.cli.worker"


@pytest.fixture(scope="module")
def hospital() -> Iterator[Hospital]:
    """One installation for the whole module: what is asked of it holds after any of these faults."""
    place = Path(tempfile.mkdtemp(prefix="collegium-journey-"))
    place.chmod(0o755)
    with Hospital(place) as running:
        yield running
    shutil.rmtree(place, ignore_errors=True)


_seeds = itertools.count(1)


@pytest.fixture
def exam(tmp_path: Path) -> phantoms.ExamTruth:
    """An exam that no other test sends: 12 images of 34 KB."""
    return phantoms.ct_exam(tmp_path / "exam", slices=12, size=128, seed=next(_seeds))


def assert_all_there_once(hospital: Hospital) -> None:
    """Gateway and server agree on every image ever pushed, and the trail is whole."""
    until(lambda: set(hospital.tasks().values()) == {1}, "one task an exam", story=hospital.story)
    until(
        lambda: hospital.status()["queue_objects"] == 0,
        "the gateway to hold every receipt",
        story=hospital.story,
    )
    assert set(hospital.instances().values()) == {1}
    assert hospital.receipts() == hospital.instances()
    assert sum(hospital.instances().values()) == hospital.delivered()
    verified = hospital.verify_trail()
    assert verified.returncode == 0, verified.stdout


@pytest.mark.requirement("C14", "C15", "S02")
@pytest.mark.parametrize("part", ["granian", "postgres"])
def test_killed_in_the_middle_of_an_upload_the_server_has_every_image_once(
    hospital: Hospital, exam: phantoms.ExamTruth, part: str
) -> None:
    before = hospital.delivered()
    # Some images are whole on the server by then, one is cut.
    hospital.line.once_after(250_000, partial(hospital.kill, part))

    hospital.push(exam.files)
    hospital.await_delivered(before + 12)

    assert_all_there_once(hospital)


@pytest.mark.requirement("C15")
@pytest.mark.parametrize("part", [WORKER, "postgres"])
def test_killed_inside_a_job_the_exam_still_gets_its_one_task(
    hospital: Hospital, exam: phantoms.ExamTruth, part: str
) -> None:
    running = "select 1 from procrastinate_jobs where status = 'doing' and task_name = 'collegium.react'"
    with closing(hospital.owner()) as owner:
        owner.autocommit = False
        owner.execute("lock table research_pipeline_examplacement in access exclusive mode")

        hospital.push(exam.files)
        until(lambda: hospital.ask(running), "the job to begin", story=hospital.story)
        hospital.kill(part)

    until(lambda: not hospital.ask(running), "the job to end", story=hospital.story)
    assert_all_there_once(hospital)


@pytest.mark.requirement("C15", "C16")
@pytest.mark.parametrize(
    ("changes", "words"),  # of the channel, as the owner of the database would make them
    [
        (
            {"recipe_text": STRICT, "recipe_digest": sha256(STRICT.encode()).hexdigest(), "accepts_from": 2},
            "cleaned with a recipe that this channel does not accept",
        ),
        ({"is_on": False}, "it is switched off"),
    ],
    ids=["another recipe", "channel off"],
)
def test_what_the_server_refuses_waits_with_its_words_and_goes_out_once_that_is_put_right(
    hospital: Hospital, exam: phantoms.ExamTruth, changes: dict[str, object], words: str
) -> None:
    before = hospital.delivered()

    with ExitStack() as channel:
        with hospital.line.held():  # the channel took them, and is another before they arrive
            hospital.push(exam.files)
            for column, value in changes.items():
                channel.enter_context(hospital.altered("imaging_connections_channel", column, value))
        hospital.await_words(words)
        waiting = hospital.status()["queue_objects"]
    hospital.await_delivered(before + 12)

    assert waiting == 12
    assert_all_there_once(hospital)


@pytest.mark.requirement("C15", "C16")
def test_a_gateway_whose_token_is_not_known_keeps_everything_and_says_so(
    hospital: Hospital, exam: phantoms.ExamTruth
) -> None:
    before = hospital.delivered()

    with hospital.altered("imaging_connections_gateway", "token_digest", bytes(32)):
        hospital.await_words("its access was revoked")  # a heartbeat notices within seconds
        hospital.push(exam.files)
        until(lambda: hospital.status()["failures"], "a failed attempt", story=hospital.story)
        waiting = hospital.status()["queue_objects"]
    hospital.await_delivered(before + 12)

    assert waiting == 12
    assert_all_there_once(hospital)


@pytest.mark.requirement("C15", "C24")
def test_a_server_without_room_is_named_at_the_gateway_and_gets_everything_once_it_has_room(
    hospital: Hospital, exam: phantoms.ExamTruth
) -> None:
    before = hospital.delivered()
    hospital.restart_server(COLLEGIUM_STORAGE_QUOTA_BYTES=str(hospital.used_bytes() + 100_000))

    hospital.push(exam.files)
    hospital.await_words("out of space")
    hospital.restart_server(COLLEGIUM_STORAGE_QUOTA_BYTES="0")
    hospital.await_delivered(before + 12)

    assert_all_there_once(hospital)
