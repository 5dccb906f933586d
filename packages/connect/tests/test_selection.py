"""An IHE TCE manifest on a channel that asks for one: only what it names leaves, the rest is kept and told."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import CTImageStorage, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from collegium_connect.actor import CONSOLE, Actor, Role
from collegium_connect.clock import now, to_ms
from collegium_connect.folders import journal_path
from collegium_connect.journal import aside, overview, selected
from collegium_connect.journal import channels as stored
from collegium_connect.journal.database import Journal
from collegium_connect.receive.negotiation import negotiate
from collegium_connect.receive.pdu import ContextResult, ProposedContext
from collegium_connect.selection import may_be_selection, selection_in
from collegium_connect.service import Gateway
from collegium_connect.settings import InspectSettings, Settings
from collegium_deid import Rejected, parse_recipe
from collegium_testkit import pacs, phantoms
from collegium_testkit.channels import channel
from collegium_testkit.doors import CHANNEL, KEY
from collegium_testkit.export_manifests import KEY_OBJECTS, export_manifest
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.patience import PATIENCE_S
from collegium_testkit.phantoms import ExamTruth

Until = Callable[..., None]
ASKING = replace(CHANNEL, setup=replace(CHANNEL.setup, selected_only=True))
REASON = "The trial asked for all of it by telephone."
PASSWORD = "a long enough password"


@pytest.fixture
def exam(tmp_path: Path) -> ExamTruth:
    return phantoms.ct_exam(tmp_path / "exam", slices=4, size=64)


def selects(path: Path, setup: object = ASKING) -> set[tuple[str, str]] | None:
    assert setup in {ASKING, CHANNEL}
    found = selection_in(ASKING if setup is ASKING else CHANNEL, memoryview(path.read_bytes()))
    return None if found is None else {(one.study_uid, one.sop_instance_uid) for one in found.named}


def new(path: Path) -> tuple[str, str]:
    head = dcmread(path, stop_before_pixels=True)
    return KEY.uid(str(head.StudyInstanceUID)), KEY.uid(str(head.SOPInstanceUID))


@pytest.mark.parametrize("title", ["TCE001", "TCE002", "TCE007"])
def test_a_manifest_of_each_title_names_objects_by_their_new_uids(
    exam: ExamTruth, tmp_path: Path, title: str
) -> None:
    path = export_manifest(tmp_path / "selection.dcm", [(exam, exam.files[:2])], title=title)

    assert selects(path) == {new(exam.files[0]), new(exam.files[1])}


def test_a_manifest_of_several_exams_names_objects_of_each(exam: ExamTruth, tmp_path: Path) -> None:
    other = phantoms.ct_exam(tmp_path / "other", slices=2, seed=2, size=64, patient=exam.patient)
    path = export_manifest(tmp_path / "selection.dcm", [(exam, exam.files[:1]), (other, other.files[1:])])

    assert selects(path) == {new(exam.files[0]), new(other.files[1])}


def test_where_uids_stay_they_are_named_as_they_are(exam: ExamTruth, tmp_path: Path) -> None:
    path = export_manifest(tmp_path / "selection.dcm", [(exam, exam.files[:1])])
    text = CHANNEL.recipe.text.replace("options:\n", "options:\n  - retain_uids\n")
    keeping = replace(ASKING, recipe=parse_recipe(text))

    found = selection_in(keeping, memoryview(path.read_bytes()))

    assert found
    head = dcmread(exam.files[0], stop_before_pixels=True)
    assert [one.sop_instance_uid for one in found.named] == [head.SOPInstanceUID]


@pytest.mark.parametrize("titled", [("113000", "DCM"), ("TCE002", "DCM"), ("TCE006", "IHERADTF")])
def test_key_objects_for_another_use_select_nothing(
    exam: ExamTruth, tmp_path: Path, titled: tuple[str, str]
) -> None:
    title, scheme = titled
    path = export_manifest(tmp_path / "notes.dcm", [(exam, exam.files)], title=title, scheme=scheme)

    assert selects(path) is None
    assert selects(exam.files[0]) is None


def test_a_channel_that_asks_for_none_takes_a_manifest_for_any_other_object(
    exam: ExamTruth, tmp_path: Path
) -> None:
    path = export_manifest(tmp_path / "selection.dcm", [(exam, exam.files)])

    assert selects(path, CHANNEL) is None


def test_a_manifest_that_came_deflated_is_read(exam: ExamTruth, tmp_path: Path) -> None:
    path = export_manifest(tmp_path / "selection.dcm", [(exam, exam.files[:1])])
    document = dcmread(path)
    document.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    document.save_as(path, enforce_file_format=True)

    assert selects(path) == {new(exam.files[0])}


def test_a_manifest_that_asks_to_wait_is_not_obeyed(exam: ExamTruth, tmp_path: Path) -> None:
    path = export_manifest(tmp_path / "selection.dcm", [(exam, exam.files)], delay="TCE011")

    with pytest.raises(Rejected) as refused:
        selects(path)

    assert refused.value.code == "connect.selection.delayed"


@pytest.mark.parametrize("lost", ["ContentSequence", "CurrentRequestedProcedureEvidenceSequence"])
def test_a_manifest_that_names_nothing_or_no_exam_is_not_obeyed(
    exam: ExamTruth, tmp_path: Path, lost: str
) -> None:
    path = export_manifest(tmp_path / "selection.dcm", [(exam, exam.files)])
    document = dcmread(path)
    del document[lost]
    document.save_as(path)

    with pytest.raises(Rejected) as refused:
        selects(path)

    assert refused.value.code == selected.UNREADABLE


def test_what_only_the_evidence_lists_is_not_selected(exam: ExamTruth, tmp_path: Path) -> None:
    path = export_manifest(tmp_path / "selection.dcm", [(exam, exam.files)])
    document = dcmread(path)
    del document.ContentSequence[-1]
    document.save_as(path)

    assert selects(path) == {new(one) for one in exam.files[:-1]}


@pytest.mark.parametrize(
    ("is_asked", "result"), [(True, "ACCEPTED"), (False, "ABSTRACT_SYNTAX_NOT_SUPPORTED")]
)
def test_a_channel_that_asks_for_manifests_takes_them_beside_the_kinds_it_lists(
    is_asked: bool, result: str
) -> None:
    listing = replace(CHANNEL.setup, storage_classes=(CTImageStorage,), selected_only=is_asked)

    context = negotiate(ProposedContext(1, KEY_OBJECTS, (ExplicitVRLittleEndian,)), listing)

    assert context.result is ContextResult[result]


@dataclass
class Box:
    """A gateway whose one channel sends only what is selected."""

    gateway: Gateway
    server: FakeServer
    settings: Settings

    def push(self, *paths: Path) -> None:
        sent = pacs.send(paths, "127.0.0.1", self.gateway.receive_port, "TRIAL1")
        assert all(one.stored for one in sent)

    @property
    def line(self) -> overview.ExamLine:
        (line,) = self.gateway.status().exams
        return line

    @property
    def held(self) -> dict[str, int]:
        return {line.reason_code: line.objects for line in self.gateway.status().quarantine}

    def journal(self) -> Journal:
        return Journal(journal_path(self.settings))

    def named_earlier(self, *, days: int) -> None:
        """Let what manifests named have been named so long before."""
        journal = self.journal()
        with journal.change() as db:
            db.execute("UPDATE selected SET at_ms = at_ms - ?", (days * 86_400_000,))
        journal.close()

    @property
    def arrived(self) -> int:
        """Objects that the server gave a receipt for."""
        return sum(item.outcome == "stored" for receipt in self.server.receipts for item in receipt.items)


@pytest.fixture
def box(settings: Settings, start: Callable[..., Gateway], server: FakeServer, until: Until) -> Box:
    return begun(settings, start, server, until)


def begun(settings: Settings, start: Callable[..., Gateway], server: FakeServer, until: Until) -> Box:
    server.channels = (replace(channel(), selected_only=True),)
    gateway = start(settings)
    until(lambda: all(setup.selected_only for setup in gateway.configuration.in_force()))
    return Box(gateway, server, settings)


@pytest.mark.requirement("C25")
def test_only_what_the_manifest_names_leaves_and_the_rest_is_kept(
    box: Box, exam: ExamTruth, tmp_path: Path, until: Until
) -> None:
    selection = export_manifest(tmp_path / "selection.dcm", [(exam, exam.files[1:3])])

    box.push(*exam.files, selection)

    until(lambda: box.arrived == 2)
    until(lambda: box.held == {selected.NOT_NAMED: 2, selected.READ: 1})
    until(lambda: box.line.state == "delivered")
    assert (box.line.delivered, box.line.objects) == (2, 4)
    assert box.line.reason == "Not named by the export manifest and kept here: 2."
    outside = b"".join(box.server.sent)
    assert exam.patient.family.encode() not in outside
    assert b"please take these" not in outside


@pytest.mark.requirement("C25")
def test_a_manifest_may_come_first_and_another_names_more(
    box: Box, exam: ExamTruth, tmp_path: Path, until: Until
) -> None:
    first = export_manifest(tmp_path / "first.dcm", [(exam, exam.files[:1])])
    second = export_manifest(tmp_path / "second.dcm", [(exam, exam.files[1:2])])

    box.push(first)
    box.push(*exam.files)
    until(lambda: box.arrived == 1)
    box.push(second)

    until(lambda: box.arrived == 2)
    assert [item.manifest.supplement for item in box.server.deliveries.values()] == [False, True]
    until(lambda: box.held == {selected.NOT_NAMED: 2, selected.READ: 2})


def test_an_exam_without_a_manifest_is_held_until_one_comes(
    box: Box, exam: ExamTruth, tmp_path: Path, until: Until
) -> None:
    box.push(*exam.files)

    until(lambda: box.line.state == "held")
    assert box.line.reason == "No export manifest has come that names objects of it."
    assert box.held == {selected.NONE: 4}
    until(lambda: "connect.selection.waits" in {alarm.code for alarm in box.gateway.alarms.standing})
    assert box.server.deliveries == {}

    box.push(export_manifest(tmp_path / "selection.dcm", [(exam, exam.files)]))

    until(lambda: box.arrived == 4)


def test_an_exam_without_a_manifest_leaves_as_it_is_when_a_person_says_so(
    box: Box, exam: ExamTruth, until: Until
) -> None:
    box.gateway.shown.people.add(actor=CONSOLE, name="Ada", role=Role.OPERATOR, password=PASSWORD)
    box.push(*exam.files[:3])
    until(lambda: box.line.can_be_let_go)

    with httpx.Client(
        base_url=f"http://127.0.0.1:{box.gateway.local_port}",
        follow_redirects=True,
        trust_env=False,
        timeout=PATIENCE_S,
    ) as http:
        http.post("/sign-in", data={"name": "Ada", "password": PASSWORD, "next": "/"})
        page = http.get("/exams").text
        token = page.split('name="form_token" value="')[1].split('"')[0]
        http.post(f"/exams/{box.line.exam_id}/let-go", data={"form_token": token, "reason": REASON})
        told = http.get("/configuration").text

    until(lambda: box.arrived == 3)
    box.push(exam.files[3])
    until(lambda: box.arrived == 4)
    assert "only objects that an export manifest names" in told


def test_a_person_cannot_let_an_exam_go_whole_of_which_a_manifest_names_what_has_not_come(
    box: Box, exam: ExamTruth, tmp_path: Path, until: Until
) -> None:
    box.push(*exam.files[1:])
    until(lambda: box.line.can_be_let_go)

    box.push(export_manifest(tmp_path / "selection.dcm", [(exam, exam.files[:1])]))

    until(lambda: selected.READ in box.held)
    assert box.held == {selected.NOT_NAMED: 3, selected.READ: 1}
    assert not box.line.can_be_let_go
    assert (box.line.state, box.line.delivered) == ("held", 0)
    assert box.line.reason == (
        "Named by the export manifest and not come: 1. Not named by the export manifest and kept here: 3."
    )


def test_what_is_named_and_has_not_come_is_told_and_follows_when_it_comes(
    box: Box, exam: ExamTruth, tmp_path: Path, until: Until
) -> None:
    box.push(*exam.files[:2], export_manifest(tmp_path / "selection.dcm", [(exam, exam.files[1:3])]))

    until(lambda: box.arrived == 1)
    until(lambda: "Named by the export manifest and not come: 1." in box.line.reason)
    box.push(exam.files[2])

    until(lambda: box.arrived == 2)
    until(lambda: "not come" not in box.line.reason)


def test_a_manifest_of_another_patient_lets_nothing_go(
    box: Box, exam: ExamTruth, tmp_path: Path, until: Until
) -> None:
    stranger = phantoms.ct_exam(tmp_path / "stranger", slices=1, seed=9, size=64)
    wrong = replace(exam, patient=stranger.patient)

    box.push(*exam.files, export_manifest(tmp_path / "selection.dcm", [(wrong, exam.files)]))

    until(lambda: box.held == {selected.NONE: 4, selected.READ: 1})
    assert box.server.deliveries == {}


def test_a_manifest_that_cannot_be_obeyed_goes_to_quarantine(
    box: Box, exam: ExamTruth, tmp_path: Path, until: Until
) -> None:
    box.push(*exam.files, export_manifest(tmp_path / "selection.dcm", [(exam, exam.files)], delay="TCE011"))

    until(lambda: box.held == {selected.NONE: 4, "connect.selection.delayed": 1})
    assert box.server.deliveries == {}


def test_sending_everything_again_waits_for_the_sites_administrator(box: Box, until: Until) -> None:
    box.server.channels = (replace(box.server.channels[0], selected_only=False),)

    until(box.gateway.configuration.waiting)

    (waiting,) = box.gateway.configuration.waiting()
    assert waiting.looser == ("Objects leave that no export manifest names.",)
    assert waiting.setup.selected_only


def test_what_no_manifest_named_can_be_let_go_once_the_channel_asks_for_none(
    box: Box, exam: ExamTruth, tmp_path: Path, until: Until
) -> None:
    box.push(*exam.files, export_manifest(tmp_path / "selection.dcm", [(exam, exam.files[:1])]))
    until(lambda: box.arrived == 1 and box.held.get(selected.NOT_NAMED) == 3)
    assert not box.line.can_be_let_go
    box.server.channels = (replace(box.server.channels[0], selected_only=False),)
    until(box.gateway.configuration.waiting)
    (waiting,) = box.gateway.configuration.waiting()

    box.gateway.configuration.confirm(
        actor=CONSOLE, channel_id=waiting.setup.channel_id, setup_digest=waiting.offered.digest()
    )
    until(lambda: box.line.can_be_let_go)
    box.gateway.unmet.let_go(Actor("Ona Operator", Role.OPERATOR), box.line.exam_id, REASON)

    until(lambda: box.arrived == 4)


def test_what_is_named_and_does_not_come_is_told_as_an_alarm_for_a_given_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite3")
    with journal.change() as db:
        stored.save_channel(db, CHANNEL.setup, 0, offered=CHANNEL.setup)
        db.execute("INSERT INTO selected VALUES ('ch-1', '2.25.1', 'S-001', '2.25.2', 1000)")
        soon, later = (
            selected.waiting(db, after_ms=0, before_ms=1000),
            selected.waiting(db, after_ms=999, before_ms=1001),
        )
        at_last = selected.waiting(db, after_ms=1000, before_ms=9000)
    journal.close()

    assert (soon, later, at_last) == ({}, {"ch-1": selected.Waiting(exams=0, missing=1)}, {})


def test_what_did_not_come_within_a_week_is_no_alarm_and_its_exam_says_so(
    box: Box, exam: ExamTruth, tmp_path: Path, until: Until
) -> None:
    box.push(*exam.files[:2], export_manifest(tmp_path / "selection.dcm", [(exam, exam.files[1:3])]))
    until(lambda: "Named by the export manifest and not come: 1." in box.line.reason)

    box.named_earlier(days=8)

    assert "Named by the export manifest and not come within a week: 1." in box.line.reason
    with box.journal().look() as db:
        week_ms = to_ms(now() - timedelta(days=7))
        assert selected.waiting(db, after_ms=week_ms, before_ms=to_ms(now())) == {}
    box.push(exam.files[2])
    until(lambda: box.arrived == 2)


def test_another_manifest_that_names_it_again_asks_anew(
    box: Box, exam: ExamTruth, tmp_path: Path, until: Until
) -> None:
    box.push(exam.files[0], export_manifest(tmp_path / "first.dcm", [(exam, exam.files[:2])]))
    until(lambda: "Named by the export manifest and not come: 1." in box.line.reason)
    box.named_earlier(days=8)

    box.push(export_manifest(tmp_path / "second.dcm", [(exam, exam.files[1:2])]))

    until(lambda: "Named by the export manifest and not come: 1." in box.line.reason)


def grown(path: Path, size: int) -> Path:
    """A manifest with a long note in it."""
    document = dcmread(path)
    note = Dataset()
    note.RelationshipType, note.ValueType, note.TextValue = "CONTAINS", "TEXT", "please " * (size // 7)
    document.ContentSequence.append(note)
    document.save_as(path)
    return path


def test_a_manifest_that_comes_in_pieces_is_obeyed(  # noqa: PLR0917 - fixtures
    settings: Settings,
    start: Callable[..., Gateway],
    server: FakeServer,
    exam: ExamTruth,
    tmp_path: Path,
    until: Until,
) -> None:
    small = replace(settings, receive=replace(settings.receive, memory_bytes=0))
    box = begun(small, start, server, until)

    box.push(*exam.files, grown(export_manifest(tmp_path / "large.dcm", [(exam, exam.files[:2])]), 2 << 20))

    until(lambda: box.arrived == 2 or sum(box.held.values()) == 5)
    assert box.arrived == 2


@pytest.mark.requirement("C25")
def test_a_manifest_too_large_to_be_read_is_told_with_what_to_do(  # noqa: PLR0917 - fixtures
    settings: Settings,
    start: Callable[..., Gateway],
    server: FakeServer,
    exam: ExamTruth,
    tmp_path: Path,
    until: Until,
) -> None:
    small = replace(settings, inspect=InspectSettings(processes=0, object_bytes=50_000))
    box = begun(small, start, server, until)
    box.gateway.shown.people.add(actor=CONSOLE, name="Ada", role=Role.OPERATOR, password=PASSWORD)

    box.push(*exam.files, grown(export_manifest(tmp_path / "large.dcm", [(exam, exam.files[:2])]), 100_000))

    until(lambda: sum(box.held.values()) == 5)
    assert box.held == {selected.NONE: 4, "connect.selection.too_large": 1}
    assert box.line.reason == (
        "No export manifest has come that names objects of it. Export manifests of its channel that were not obeyed: 1."
        " The quarantine says why."
    )
    until(lambda: any("not obeyed: 1" in alarm.message for alarm in box.gateway.alarms.standing))
    with box.journal().look() as db:
        (item,) = aside.listed(db, "connect.selection.too_large", "", offset=0, limit=2)
    seen = box.gateway.shown.quarantine.look(Actor("Ada", Role.OPERATOR), item.object_id)
    assert "larger than inspect.object_bytes" in seen.object.reason
    assert seen.advice == (
        "What it names is not sent. Send manifests that name fewer objects, or raise inspect.object_bytes; delete this"
        " one first, for the same one sent again is not looked at."
    )


def test_what_only_is_as_large_is_no_manifest(tmp_path: Path, exam: ExamTruth) -> None:
    assert not may_be_selection(memoryview(exam.files[0].read_bytes()))
    assert may_be_selection(
        memoryview(export_manifest(tmp_path / "one.dcm", [(exam, exam.files)]).read_bytes())
    )
