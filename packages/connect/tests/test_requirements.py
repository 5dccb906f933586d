"""What a trial asks of an exam's acquisition: judged from facts alone, told or held, and never lost."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import DEFAULT, Mock, patch

import pytest

from collegium_connect.actor import Actor, Role
from collegium_connect.assemble import PATIENCE, Assembler, manifest_of
from collegium_connect.channels import Channels
from collegium_connect.clock import to_ms
from collegium_connect.inspection.examiner import Examiner
from collegium_connect.inspection.findings import NotNow
from collegium_connect.journal import aside, deliveries, exams, inspection, objects, overview
from collegium_connect.journal import channels as stored
from collegium_connect.journal.database import Journal
from collegium_connect.journal.deliveries import Beginning
from collegium_connect.journal.exams import Acquired, Acquisition
from collegium_connect.journal.facts import Facts
from collegium_connect.journal.objects import Arrival, Product
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.quarantine import NotSetAside, UnmetExams
from collegium_connect.reason import ReasonMissing
from collegium_connect.requirements import WORDS, judge
from collegium_connect.settings import LimitSettings
from collegium_connect.spool import Place, Stored, Stores
from collegium_connect.trail import Trail
from collegium_testkit.channels import channel
from collegium_wire import (
    BODY_PARTS,
    NEWEST,
    PROTOCOL,
    AcquisitionRequirement,
    AcquisitionRequirements,
    ChannelSetup,
    Manifest,
    Unmet,
    WireError,
)

ASKED = AcquisitionRequirement(visit="V1", modality="CT")
SLICE = Facts(modality="CT", body_part="CHEST", thickness_mm=2.5)
PERSON = Actor("Ann", Role.OPERATOR)
REASON = "The trial agreed by telephone."
QUIET_S = 60


def asking(*entries: AcquisitionRequirement, takes_others: bool = False) -> AcquisitionRequirements:
    return AcquisitionRequirements(items=entries, takes_others=takes_others)


def series(count: int, facts: Facts = SLICE, uid: str = "2.25.7") -> list[Acquired]:
    return [Acquired(uid, facts)] * count


@pytest.mark.requirement("I05", "I06")
@pytest.mark.parametrize(
    ("asked", "found", "unmet"),
    [
        ({"images": 3}, series(3), ()),
        ({"images": 4}, series(3), ("CT for V1: at least 4 images are needed; 3 came.",)),
        ({"series": 2}, series(3), ("CT for V1: at least 2 series are needed; 1 came.",)),
        ({"body_part": "CHEST"}, series(1), ()),
        ({"body_part": "HEAD"}, series(1), ("CT for V1: HEAD is needed; CHEST was found.",)),
        (
            {"body_part": "HEAD"},
            series(1, replace(SLICE, body_part="")),
            ("CT for V1: HEAD is needed; no series names one.",),
        ),
        ({"slice_thickness_mm": 2.5}, series(1), ()),
        (
            {"slice_thickness_mm": 1.0},
            series(1),
            ("CT for V1: slices of at most 1 mm are needed; the thinnest series has 2.5 mm.",),
        ),
        (
            {"slice_thickness_mm": 1.0},
            series(1, replace(SLICE, thickness_mm=None)),
            ("CT for V1: slices of at most 1 mm are needed; no series says its.",),
        ),
        ({"contrast": True}, series(1, replace(SLICE, has_contrast=True)), ()),
        ({"contrast": True}, series(1), ("CT for V1: a series with contrast is needed; none says so.",)),
        ({"images": 200}, series(1, replace(SLICE, images=200)), ()),
    ],
)
def test_each_rule_says_what_is_needed_and_what_was_found(
    asked: dict[str, Any], found: list[Acquired], unmet: tuple[str, ...]
) -> None:
    assert judge(asking(replace(ASKED, **asked)), found).unmet == unmet


@pytest.mark.requirement("I06")
def test_the_spacing_is_told_from_positions_where_no_header_says_it() -> None:
    at = [replace(SLICE, position_mm=place, normal=(0.0, 0.0, 1.0)) for place in (0.0, 5.0, 10.0, 20.0)]
    found = [Acquired("2.25.7", facts) for facts in at]

    assert judge(asking(replace(ASKED, slice_spacing_mm=5.0)), found).unmet == ()
    assert judge(asking(replace(ASKED, slice_spacing_mm=3.0)), found).unmet == (
        "CT for V1: slices at most 3 mm apart are needed; the densest series has 5 mm.",
    )


def test_a_thick_series_beside_a_thin_one_does_no_harm_and_counts_for_nothing() -> None:
    scouts = series(5, replace(SLICE, thickness_mm=100.0), "2.25.8")
    asked = replace(ASKED, slice_thickness_mm=5.0, images=4)

    assert judge(asking(asked), series(4) + scouts).unmet == ()
    assert judge(asking(asked), series(3) + scouts).unmet == (
        "CT for V1: at least 4 images are needed; 3 came.",
    )


def test_an_exam_that_fits_one_visit_fits() -> None:
    asked = asking(replace(ASKED, images=100), replace(ASKED, visit="V2", images=2))

    assert judge(asked, series(2)).unmet == ()


def test_of_visits_that_ask_the_same_all_are_named_a_few_by_name() -> None:
    asked = asking(*(replace(ASKED, visit=f"V{number}", images=9) for number in range(1, 8)))

    assert judge(asked, series(2)).unmet == (
        "CT for V1, V2, V3, V4, V5 and 2 more: at least 9 images are needed; 2 came.",
    )


def test_of_many_body_parts_a_few_are_named_so_that_a_manifest_takes_the_words() -> None:
    found = [Acquired("2.25.7", replace(SLICE, body_part=part)) for part in BODY_PARTS if part != "HEAD"]

    (words,) = judge(asking(replace(ASKED, body_part="HEAD")), found).unmet

    more = len(BODY_PARTS) - 1 - 5
    first = ", ".join(sorted(set(BODY_PARTS) - {"HEAD"})[:5])
    assert words == f"CT for V1: HEAD is needed; {first} and {more} more was found."


def test_each_modality_that_is_named_is_judged() -> None:
    asked = asking(replace(ASKED, images=2), replace(ASKED, modality="PT", images=2))
    found = series(2) + series(1, replace(SLICE, modality="PT"), "2.25.8")

    assert judge(asked, found).unmet == ("PT for V1: at least 2 images are needed; 1 came.",)


def test_another_modality_is_told_unless_a_visit_asks_for_nothing() -> None:
    found = series(2, replace(SLICE, modality="MR"))

    assert judge(asking(ASKED), found).unmet == ("CT is needed; MR came.",)
    assert judge(asking(ASKED, takes_others=True), found).unmet == ()
    assert judge(asking(ASKED), series(1, Facts())).unmet == ("CT is needed; none of these came.",)


class Bench:
    """A journal with one channel, its assembler and a clock that stands still; objects come inspected."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder / "journal.sqlite3")
        keys = KeyFolder(folder / "keys")
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.channels = Channels(self.journal, keys)
        self.assembler = Assembler(self.journal, self.channels, lambda: self.now)
        trail = Trail(self.journal, load_secrets(keys), lambda: self.now)
        self.unmet = UnmetExams(self.journal, trail, lambda: self.now)
        self.count = 0

    def ask(self, *entries: AcquisitionRequirement, when_unmet: Unmet = Unmet.TELL) -> None:
        self.tell(
            replace(channel(quiet_time_s=QUIET_S), requirements=asking(*entries), when_unmet=when_unmet)
        )

    def tell(self, setup: ChannelSetup) -> None:
        with self.journal.change() as db:
            stored.save_channel(db, setup, to_ms(self.now), offered=setup)
        self.channels.refresh()

    def receive(
        self, count: int = 1, facts: Facts | None = SLICE, subject: str = "S01-001", exam: str = "1"
    ) -> None:
        for _ in range(count):
            self.count += 1
            arrival = self.arrival(self.count, subject, exam)
            with self.journal.change() as db:
                objects.record(db, arrival, Stored(Place("segment", self.count), 10))
                inspection.pass_unchanged(db, [(arrival.object_id, facts)])

    def receive_unread(self) -> None:
        """An object that could not be read as it came, sealed whole."""
        self.count += 1
        arrival = replace(self.arrival(self.count, "", ""), product=None, is_clean=False, input_mac=b"mac")
        with self.journal.change() as db:
            objects.record(db, arrival, Stored(Place("segment", self.count), 10))

    def arrival(self, number: int, subject: str, exam: str) -> Arrival:
        product = Product(
            study_uid=f"2.25.{exam}", series_uid="2.25.7", sop_instance_uid=f"2.25.100{number}", sop_class_uid="1.2",
            transfer_syntax_uid="1.2", subject_code=subject, sha256=f"{number:064}", size_bytes=10,
            recipe_name="trial", recipe_version="1", recipe_digest="0" * 64, counts={}, seconds=0.0,
        )  # fmt: skip
        return Arrival(
            object_id=f"object-{number}", new_exam_id=f"exam-{exam}", channel_id="ch-1", received_ms=to_ms(self.now),
            is_clean=True, product=product, input_mac=None,
        )  # fmt: skip

    def run_after(self, seconds: float) -> int:
        self.now += timedelta(seconds=seconds)
        return self.assembler.run_once()

    @property
    def manifests(self) -> list[Manifest]:
        with self.journal.look() as db:
            rows = db.execute("SELECT manifest FROM deliveries ORDER BY rowid").fetchall()
        return [Manifest.from_json(row["manifest"]) for row in rows]

    @property
    def line(self) -> overview.ExamLine:
        with self.journal.look() as db:
            (line,) = overview.exams(db, self.now)
        return line


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.journal.close()


def test_an_exam_that_fits_leaves_after_its_quiet_time_and_says_nothing_new(bench: Bench) -> None:
    bench.ask(replace(ASKED, images=3))
    bench.receive(3)

    assert bench.run_after(QUIET_S) == 1
    (manifest,) = bench.manifests
    assert (manifest.protocol, manifest.unmet) == (PROTOCOL, ())


@pytest.mark.requirement("C12")
def test_an_exam_waits_while_nobody_knows_whose_an_object_is_that_came_before_it_was_due(
    bench: Bench,
) -> None:
    bench.ask()
    bench.receive(2, facts=None)
    bench.receive_unread()

    early, late = bench.run_after(QUIET_S), bench.run_after(QUIET_S * (PATIENCE - 1))

    assert (early, late) == (0, 1)


def test_an_object_of_no_known_exam_keeps_none_that_was_due_before_it_came(bench: Bench) -> None:
    bench.ask()
    bench.receive(2, facts=None)
    bench.now += timedelta(seconds=QUIET_S + 1)
    bench.receive_unread()

    assert bench.run_after(1) == 1


def test_an_exam_of_a_project_that_asks_for_nothing_is_not_judged(bench: Bench) -> None:
    bench.ask()
    bench.receive(1, facts=None)

    assert bench.run_after(QUIET_S) == 1
    assert bench.line.unmet == ()


def test_what_came_before_anybody_asked_is_not_judged(bench: Bench) -> None:
    bench.ask(replace(ASKED, images=3), when_unmet=Unmet.HOLD)
    bench.receive(1, facts=None)

    assert bench.run_after(QUIET_S) == 1
    assert bench.manifests[0].unmet == ()


@pytest.mark.requirement("I06")
def test_an_exam_with_fewer_images_than_announced_waits_for_the_rest(bench: Bench) -> None:
    bench.ask(replace(ASKED, images=3))
    bench.receive(2)

    assert bench.run_after(QUIET_S) == 0
    assert (bench.line.state, bench.line.reason) == ("receiving", "Waits for more of it to come.")
    bench.receive(1)
    assert bench.run_after(QUIET_S) == 1
    assert [(len(one.objects), one.unmet) for one in bench.manifests] == [(3, ())]


def test_it_waits_so_long_and_no_longer_and_then_tells(bench: Bench) -> None:
    bench.ask(replace(ASKED, images=3))
    bench.receive(2)

    assert bench.run_after(QUIET_S) == 0
    assert bench.run_after(QUIET_S * (PATIENCE - 1) - 1) == 0
    assert bench.run_after(1) == 1
    (manifest,) = bench.manifests
    assert manifest.protocol == NEWEST
    assert manifest.unmet == ("CT for V1: at least 3 images are needed; 2 came.",)
    assert bench.line.reason == "Does not meet the acquisition requirements."
    assert bench.line.unmet == manifest.unmet


def test_what_no_image_to_come_can_mend_is_told_at_once(bench: Bench) -> None:
    bench.ask(replace(ASKED, slice_thickness_mm=1.0))
    bench.receive(2)

    assert bench.run_after(QUIET_S) == 1
    assert bench.manifests[0].unmet


def test_a_late_object_that_completes_an_exam_ends_the_telling(bench: Bench) -> None:
    bench.ask(replace(ASKED, images=3))
    bench.receive(2)
    bench.run_after(QUIET_S)
    bench.run_after(QUIET_S * PATIENCE)
    bench.receive(1)

    assert bench.run_after(QUIET_S) == 1
    assert [(one.supplement, len(one.unmet), one.met) for one in bench.manifests] == [
        (False, 1, False),
        (True, 0, True),
    ]
    assert bench.manifests[-1].protocol == NEWEST
    assert bench.line.unmet == ()


def test_an_addition_that_nobody_judged_does_not_say_that_everything_is_met(bench: Bench) -> None:
    bench.ask(replace(ASKED, images=3))
    bench.receive(2)
    bench.run_after(QUIET_S)
    bench.run_after(QUIET_S * PATIENCE)
    bench.ask()
    bench.receive(1)

    bench.run_after(QUIET_S)

    assert (bench.manifests[-1].supplement, bench.manifests[-1].met) == (True, False)


def test_where_the_channel_says_so_it_is_held_with_what_comes_later(bench: Bench) -> None:
    bench.ask(replace(ASKED, slice_thickness_mm=1.0), when_unmet=Unmet.HOLD)
    bench.receive(2)

    assert bench.run_after(QUIET_S) == 0
    bench.receive(1)
    assert bench.run_after(QUIET_S) == 0
    assert bench.manifests == []
    assert (bench.line.state, bench.line.can_be_let_go) == ("held", True)
    with bench.journal.look() as db:
        assert overview.unmet(db, 0)["ch-1"].held == 1
        (reason,) = overview.quarantine(db)
    assert (reason.reason_code, reason.objects) == ("connect.requirements.unmet", 3)


def test_a_held_exam_goes_on_when_what_it_lacked_has_come(bench: Bench) -> None:
    bench.ask(replace(ASKED, images=3), when_unmet=Unmet.HOLD)
    bench.receive(2)
    bench.run_after(QUIET_S)
    bench.run_after(QUIET_S * PATIENCE)
    assert bench.line.state == "held"
    bench.receive(1)

    assert bench.run_after(QUIET_S) == 1
    assert [len(one.objects) for one in bench.manifests] == [3]


def test_a_held_exam_stays_held_when_what_comes_later_says_nothing_of_itself(bench: Bench) -> None:
    bench.ask(replace(ASKED, slice_thickness_mm=1.0), when_unmet=Unmet.HOLD)
    bench.receive(2)
    bench.run_after(QUIET_S)
    words = bench.line.unmet
    bench.receive(1, facts=None)

    assert bench.run_after(QUIET_S) == 0
    assert states(bench) == [("held", None)] * 3
    assert (bench.line.can_be_let_go, bench.line.unmet) == (True, words)


def test_a_person_lets_such_an_exam_go_and_the_server_is_told(bench: Bench) -> None:
    bench.ask(replace(ASKED, slice_thickness_mm=1.0), when_unmet=Unmet.HOLD)
    bench.receive(2)
    bench.run_after(QUIET_S)
    bench.receive(1, facts=None)
    bench.run_after(QUIET_S)

    bench.unmet.let_go(PERSON, "exam-1", REASON)

    assert bench.run_after(0) == 1
    assert [(len(one.objects), len(one.unmet)) for one in bench.manifests] == [(3, 1)]


def test_what_came_of_a_channel_that_cannot_be_served_just_now_is_inspected_when_it_can(
    bench: Bench, tmp_path: Path
) -> None:
    bench.ask(ASKED)
    bench.receive(1)
    with bench.journal.change() as db:
        db.execute("UPDATE objects SET state = 'received'")
    stores = Stores.below(tmp_path, LimitSettings(), bytes(32))
    examiner = Examiner(stores, Mock(), Mock(), object_bytes=1 << 20)

    with bench.journal.look() as db:
        due_while_idle = inspection.received(db, 9, idle=["ch-1"])
        (item,) = inspection.received(db, 9)

    assert due_while_idle == []
    assert examiner.look_at(item, None) == NotNow()


def test_an_exam_with_every_body_part_is_held_and_let_go_like_any_other(bench: Bench) -> None:
    bench.ask(replace(ASKED, body_part="HEAD"), when_unmet=Unmet.HOLD)
    for part in sorted(BODY_PARTS):
        bench.receive(1, facts=replace(SLICE, body_part="" if part == "HEAD" else part))
    assert bench.run_after(QUIET_S) == 0

    bench.unmet.let_go(PERSON, "exam-1", REASON)

    assert bench.run_after(0) == 1
    assert len(bench.manifests[0].unmet) == 1


def test_words_that_an_earlier_version_kept_leave_cut(bench: Bench) -> None:
    bench.ask(replace(ASKED, slice_thickness_mm=1.0), when_unmet=Unmet.HOLD)
    bench.receive(1)
    bench.run_after(QUIET_S)
    bench.receive(1, facts=None)
    with bench.journal.change() as db:
        exams.judge(db, "exam-1", Acquisition.LET_GO, ("x" * 1000,), to_ms(bench.now))

    assert bench.run_after(QUIET_S) == 1
    assert bench.manifests[0].unmet == ("x" * WORDS,)


def test_an_exam_that_cannot_be_assembled_is_logged_once_and_stops_no_other(
    bench: Bench, log_file: Path
) -> None:
    bench.ask()
    bench.receive(1)
    bench.receive(1, exam="2")

    with patch(
        "collegium_connect.assemble.manifest_of",
        side_effect=[WireError("wire", "2.25.1"), DEFAULT],
        wraps=manifest_of,
    ):
        queued = bench.run_after(QUIET_S)
    with patch("collegium_connect.assemble.manifest_of", side_effect=WireError("wire", "2.25.1")):
        again = bench.run_after(0)

    assert (queued, again) == (1, 0)
    said = [line for line in log_file.read_text("utf-8").splitlines() if "exam.failed" in line]
    assert len(said) == 1
    assert "2.25" not in said[0]


def test_a_named_person_lets_a_held_exam_go_with_a_reason(bench: Bench) -> None:
    bench.ask(replace(ASKED, slice_thickness_mm=1.0), when_unmet=Unmet.HOLD)
    bench.receive(2)
    bench.run_after(QUIET_S)

    with pytest.raises(ReasonMissing):
        bench.unmet.let_go(PERSON, "exam-1", "")
    bench.unmet.let_go(PERSON, "exam-1", REASON)

    assert bench.run_after(0) == 1
    assert [(len(one.objects), len(one.unmet)) for one in bench.manifests] == [(2, 1)]
    with bench.journal.look() as db:
        (entry,) = db.execute("SELECT action, actor, channel_id FROM trail").fetchall()
    assert tuple(entry) == ("quarantine.exam.let_go", "Ann", "ch-1")


def test_an_exam_whose_objects_were_all_given_up_is_told_no_more(bench: Bench) -> None:
    bench.ask(replace(ASKED, slice_thickness_mm=1.0), when_unmet=Unmet.HOLD)
    bench.receive(1)
    bench.run_after(QUIET_S)

    with bench.journal.change() as db:
        (item,) = aside.of_exam(db, "exam-1")
        aside.delete(db, item)

    with bench.journal.look() as db:
        assert overview.unmet(db, 0) == {}


def test_an_exam_of_a_channel_that_cannot_be_served_just_now_is_held_all_the_same(bench: Bench) -> None:
    bench.ask(replace(ASKED, slice_thickness_mm=1.0), when_unmet=Unmet.HOLD)
    bench.receive(1)
    recipe = "no recipe at all"
    digest = hashlib.sha256(recipe.encode()).hexdigest()
    (setup,) = bench.channels.setups
    bench.tell(replace(setup, recipe_yaml=recipe, recipe_digest=digest))

    assert bench.run_after(QUIET_S) == 0
    assert bench.line.state == "held"


def test_only_an_exam_that_is_held_can_be_let_go(bench: Bench) -> None:
    bench.ask(replace(ASKED, slice_thickness_mm=1.0))
    bench.receive(2)
    bench.run_after(QUIET_S)

    with pytest.raises(NotSetAside):
        bench.unmet.let_go(PERSON, "exam-1", REASON)


def states(bench: Bench) -> list[tuple[str, str | None]]:
    with bench.journal.look() as db:
        rows = db.execute("SELECT state, delivery_id FROM objects ORDER BY rowid").fetchall()
    return [(row["state"], row["delivery_id"]) for row in rows]


def test_a_delivery_of_which_nothing_left_comes_back_when_its_exam_is_held(bench: Bench) -> None:
    bench.ask()
    bench.receive(2)
    bench.run_after(QUIET_S)

    bench.receive(1, subject="S01-002")

    assert bench.manifests == []
    assert states(bench) == [("held", None)] * 3
    assert bench.line.reason == "The exam came with two patient ids."


def test_a_delivery_that_is_under_way_goes_on_and_that_is_told(bench: Bench) -> None:
    bench.ask()
    bench.receive(2)
    bench.run_after(QUIET_S)
    delivery_id = bench.manifests[0].delivery_id
    with bench.journal.change() as db:
        assert deliveries.begin(db, delivery_id, to_ms(bench.now)) is Beginning.FIRST

    bench.receive(1, subject="S01-002")

    assert states(bench) == [("queued", delivery_id), ("queued", delivery_id), ("held", None)]
    assert bench.line.reason == (
        "The exam came with two patient ids. 2 of its objects were on their way already, or there."
    )


def test_what_was_taken_back_cannot_begin(bench: Bench) -> None:
    bench.ask()
    bench.receive(2)
    bench.run_after(QUIET_S)
    delivery_id = bench.manifests[0].delivery_id
    bench.receive(1, subject="S01-002")

    with bench.journal.change() as db:
        assert deliveries.begin(db, delivery_id, to_ms(bench.now)) is Beginning.GONE
