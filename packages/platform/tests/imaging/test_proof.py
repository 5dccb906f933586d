"""A test exam is proven by a receipt and forgotten; nothing that shows something can be one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from collegium.imaging.archive import queries as archive
from collegium.imaging.archive.models import Blob, Exam
from collegium.imaging.connections import queries as connections
from collegium.imaging.ingest.models import DeliveryObject
from collegium.kit.database import acting_as
from collegium.trust.audit import queries as audit
from collegium.trust.audit.actions import Action
from collegium.trust.audit.phrases import PHRASES
from collegium_testkit.delivering import edited
from collegium_testkit.pages import client_of
from collegium_wire import NEWEST, TEST_SIDE, Receipt

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydicom import Dataset

    from collegium_testkit.delivering import CleanExam, Sender
    from collegium_wire import Manifest

    Exams = Callable[..., CleanExam]


def emptied(dataset: Dataset) -> None:
    """The picture that a gateway invents: zeros."""
    dataset.Rows = dataset.Columns = TEST_SIDE
    dataset.PixelData = bytes(TEST_SIDE**2 * dataset.BitsAllocated // 8)


@pytest.fixture
def invented(clean_exam: Exams) -> CleanExam:
    exam = clean_exam(slices=1, subject="TEST-0a1b2c3d")
    return replace(exam, objects=(edited(exam.objects[0], emptied),))


def jobs(sender: Sender) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from procrastinate_jobs where args::text like %s", [f"%{sender.world.space_id}%"]
        )
        return int(cursor.fetchone()[0])


@pytest.mark.requirement("C26")
def test_a_test_exam_is_proven_and_nothing_of_it_stays(sender: Sender, invented: CleanExam) -> None:
    before = jobs(sender)

    receipt = sender.deliver(invented, is_test=True, protocol=NEWEST)

    assert [item["outcome"] for item in receipt["items"]] == ["proven"]
    assert receipt["exam_id"] is None
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        actor = sender.world.actor()
        assert (Exam.objects.count(), Blob.objects.count(), archive.used_bytes(actor)) == (0, 0, 0)
        (kept,) = DeliveryObject.objects.all()
        line = audit.history(actor, "ingest.delivery", kept.delivery.delivery_id)[0]
    assert (kept.blob_id, kept.document, bytes(kept.frame_table)) == (None, "", b"")
    assert line.action == "ingest.test.proven"
    assert jobs(sender) == before


def test_the_pages_say_when_a_test_exam_was_proven_and_nothing_else(
    sender: Sender, invented: CleanExam
) -> None:
    sender.deliver(invented, is_test=True, protocol=NEWEST)

    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        channel = connections.channel(sender.world.actor(), sender.channel_id)  # type: ignore[arg-type]  # text is enough
    assert channel.tested_at
    browser = client_of(sender.world.administrator)
    where = f"/projects/{sender.world.space_id}/gateways/{sender.gateway_id}/"
    text = browser.get(f"{where}channels/{sender.channel_id}/").content.decode()
    assert f"proven in {channel.tested_s:.1f} s" in text
    assert invented.subject not in text + browser.get(where).content.decode()


@pytest.mark.requirement("C26")
def test_a_picture_that_shows_something_is_no_test_and_its_gateway_hears_so(
    sender: Sender, clean_exam: Exams
) -> None:
    exam = clean_exam(slices=1)

    receipt = Receipt.from_json(sender.complete(opened_and_sent(sender, exam)).content)

    assert not receipt.delivered
    assert "can be a test" in receipt.items[0].reason
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        assert (Exam.objects.count(), Blob.objects.count()) == (0, 0)
        assert connections.channel(sender.world.actor(), sender.channel_id).tested_at is None  # type: ignore[arg-type]  # text is enough
        line = audit.history(sender.world.actor(), "ingest.delivery", receipt.delivery_id)[0]
    assert line.action == "ingest.test.refused"
    assert line.new == {"manifest": receipt.manifest_digest, "proven": 0, "refused": 1}
    assert str(PHRASES[Action(line.action)]) == "sent a test exam that was refused"


def opened_and_sent(sender: Sender, exam: CleanExam) -> Manifest:
    manifest = sender.manifest(exam, is_test=True, protocol=NEWEST)
    assert sender.open(manifest).status_code == 200
    assert sender.send(manifest, exam.objects).status_code == 200
    return manifest


def test_the_same_test_completed_again_gives_the_same_receipt(sender: Sender, invented: CleanExam) -> None:
    manifest = opened_and_sent(sender, invented)

    first, again = sender.complete(manifest), sender.complete(manifest)

    assert first.content == again.content


def test_a_picture_that_was_a_test_may_come_as_an_exam(sender: Sender, invented: CleanExam) -> None:
    sender.deliver(invented, is_test=True, protocol=NEWEST)

    receipt = sender.deliver(invented)

    assert [item["outcome"] for item in receipt["items"]] == ["stored"]
