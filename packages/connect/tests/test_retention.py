"""What was delivered long ago is forgotten, told once a day; nothing that waits ever is."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from collegium_connect import clock
from collegium_connect.actor import Actor, Role
from collegium_connect.channels import Channels
from collegium_connect.folders import journal_path
from collegium_connect.journal import decisions, exams, overview, subjects
from collegium_connect.journal.database import Journal
from collegium_connect.journal.objects import hold
from collegium_connect.keys import KeyFolder, Secrets
from collegium_connect.quarantine import CannotDecide, TwoPatients
from collegium_connect.retention import Retention
from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_connect.trail import Trail
from collegium_testkit import pacs, phantoms
from collegium_testkit.channels import channel
from collegium_testkit.fake_server import FakeServer

Until = Callable[..., None]
DAYS = 400


@dataclass
class Time:
    """A clock that a test moves."""

    days: int = 0

    def __call__(self) -> datetime:
        return clock.now() + timedelta(days=self.days)


@dataclass
class Years:
    """A journal with two delivered exams of three objects, the second of which came last."""

    journal: Journal
    trail: Trail
    time: Time
    retention: Retention

    def rows(self, sql: str) -> list[sqlite3.Row]:
        with self.journal.look() as db:
            return list(db.execute(sql))

    def objects(self) -> list[str]:
        """The exam of every object that is remembered."""
        return [row["exam_id"] for row in self.rows("SELECT exam_id FROM objects ORDER BY rowid")]

    def change(self, sql: str) -> None:
        with self.journal.change() as db:
            db.execute(sql)


@pytest.fixture
def years(tmp_path: Path) -> Iterator[Years]:
    journal, time = Journal(tmp_path / "journal.sqlite3"), Time()
    trail = Trail(journal, Secrets(bytes(32)), time)
    at_ms = clock.to_ms(clock.now())
    with journal.change() as db:
        db.execute(
            "INSERT INTO scopes (scope_id, project_name, site_code, created_ms) VALUES (1, 'P', 'LG', 1)"
        )
        db.execute(
            "INSERT INTO channels (channel_id, scope_id, setup, is_active, updated_ms)"
            " VALUES ('ch-1', 1, ?, 1, 1)",
            (channel().to_json(),),
        )
        for name in ("old", "new"):
            db.execute(
                "INSERT INTO exams (exam_id, channel_id, study_uid, subject_code, first_ms, last_ms)"
                " VALUES (?1, 'ch-1', ?1, 'LG-001', ?2, ?2)",
                (name, at_ms),
            )
            db.execute(
                "INSERT INTO deliveries (delivery_id, exam_id, manifest, manifest_digest, state, next_attempt_ms,"
                " created_ms, finished_ms, began_ms) VALUES (?1, ?1, x'', '', 'delivered', ?2, ?2, ?2, ?2)",
                (name, at_ms),
            )
            db.executemany(
                "INSERT INTO objects (object_id, channel_id, exam_id, delivery_id, state, is_clean, record_bytes,"
                " sop_instance_uid, sha256, size_bytes, received_ms)"
                " VALUES (?1, 'ch-1', ?2, ?2, 'delivered', 1, 1, ?1, ?1, 1, ?3)",
                [(f"{name}-{number}", name, at_ms) for number in range(3)],
            )
    yield Years(journal, trail, time, Retention(journal, trail, time, DAYS))
    journal.close()


def test_what_was_delivered_is_remembered_for_the_stated_time(years: Years) -> None:
    years.time.days = DAYS - 1
    years.retention.run_once()

    assert years.objects() == ["old"] * 3 + ["new"] * 3


def test_after_it_the_rows_go_and_the_exam_stays_as_a_line(years: Years) -> None:
    years.time.days = DAYS + 1
    years.retention.run_once()

    assert years.objects() == ["new"] * 3
    assert [row["delivery_id"] for row in years.rows("SELECT * FROM deliveries")] == ["new"]
    with years.journal.look() as db:
        lines = {line.exam_id: line for line in overview.exams(db, clock.now())}
        assert subjects.is_used(db, 1, "LG-001")
    assert (lines["old"].state, lines["old"].objects, lines["old"].delivered) == ("delivered", 3, 3)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE objects SET state = 'quarantined' WHERE object_id = 'old-1'",
        "UPDATE objects SET state = 'received' WHERE object_id = 'old-1'",
        "UPDATE objects SET state = 'refused' WHERE object_id = 'old-1'",
        "UPDATE objects SET segment = 's', offset = 0 WHERE object_id = 'old-1'",
        "UPDATE exams SET is_held = 1 WHERE exam_id = 'old'",
        "UPDATE exams SET last_ms = last_ms + 2 * 86400000 WHERE exam_id = 'old'",
        "UPDATE deliveries SET state = 'queued', finished_ms = NULL WHERE exam_id = 'old'",
        "UPDATE deliveries SET keep_until_ms = 4102444800000 WHERE exam_id = 'old'",
    ],
)
def test_nothing_is_forgotten_while_anything_of_its_exam_waits_or_is_kept(years: Years, sql: str) -> None:
    years.change(sql)
    years.time.days = DAYS + 1

    years.retention.run_once()

    assert years.objects() == ["old"] * 3 + ["new"] * 3


def test_a_journal_that_forgets_nothing_keeps_everything(years: Years) -> None:
    years.time.days = 10 * DAYS

    Retention(years.journal, years.trail, years.time, days=0).run_once()

    assert len(years.objects()) == 6


def test_what_was_forgotten_is_told_once_when_the_day_is_over(years: Years) -> None:
    years.time.days = DAYS + 1
    years.retention.run_once()
    told_on_the_day = years.trail.lines()

    years.time.days += 1
    years.retention.run_once()
    years.retention.run_once()

    assert told_on_the_day == []
    assert [(line.actor, line.action, line.detail) for line in years.trail.lines()] == [
        ("gateway", "journal.delivered.forgotten", "days=400, objects=3, deliveries=1")
    ]


def test_what_comes_of_a_forgotten_exam_is_a_supplement(years: Years) -> None:
    years.time.days = DAYS + 1
    years.retention.run_once()
    years.change(
        "INSERT INTO objects (object_id, channel_id, exam_id, state, is_clean, record_bytes, subject_code,"
        " sop_instance_uid, sop_class_uid, series_uid, transfer_syntax_uid, sha256, size_bytes, recipe_name,"
        " recipe_version, recipe_digest, counts, seconds, received_ms) VALUES ('late', 'ch-1', 'old', 'waiting',"
        f" 1, 1, 'LG-001', '1.2', '1.2', '1.2', '1.2', '{'0' * 64}', 1, 'r', '1', '{'0' * 64}', '{{}}', 0.1, 1)"
    )

    with years.journal.look() as db:
        batch = exams.next_batch(db, "old")

    assert batch is not None
    assert batch.is_supplement


@pytest.mark.requirement("C18")
def test_a_split_stays_when_what_was_split_off_was_delivered_and_forgotten(years: Years) -> None:
    years.change(
        "INSERT INTO exams (exam_id, channel_id, study_uid, subject_code, first_ms, last_ms)"
        " VALUES ('whole', 'ch-1', 'whole', 'LG-002', 1, 1)"
    )
    years.change(
        "INSERT INTO objects (object_id, channel_id, exam_id, state, is_clean, record_bytes, size_bytes,"
        " received_ms) VALUES ('kept', 'ch-1', 'whole', 'quarantined', 0, 1, 1, 1)"
    )
    years.change(
        "INSERT INTO patient_decisions (exam_id, kind, subject_before, person, at_ms, last_delivery)"
        " VALUES ('whole', 'split', 'LG-002', 'Ona Operator', 1, 0)"
    )
    years.change(
        "INSERT INTO apart (object_id, from_exam) SELECT object_id, 'whole' FROM objects WHERE exam_id = 'old'"
    )
    with years.journal.look() as db:
        before = decisions.open_decisions(db)

    years.time.days = DAYS + 1
    years.retention.run_once()

    assert years.objects() == ["new"] * 3 + ["whole"]
    with years.journal.look() as db:
        assert before == decisions.open_decisions(db) == []


@pytest.mark.requirement("C18")
def test_a_forgotten_exam_that_comes_again_for_another_patient_stays_the_first_ones(
    years: Years, tmp_path: Path
) -> None:
    years.time.days = DAYS + 1
    years.retention.run_once()
    with years.journal.change() as db:
        db.execute(
            "INSERT INTO objects (object_id, channel_id, exam_id, state, is_clean, record_bytes, subject_code,"
            " size_bytes, received_ms) VALUES ('again', 'ch-1', 'old', 'received', 1, 1, 'LG-002', 1, 1)"
        )
        hold(db, "old")
    channels = Channels(years.journal, KeyFolder(tmp_path / "keys"))
    people = TwoPatients(years.journal, Secrets(bytes(32)), channels, years.trail, years.time)

    (exam,) = people.exams()
    with pytest.raises(CannotDecide):
        people.confirm(Actor("Ona Operator", Role.OPERATOR), "old", "LG-002", "I looked at the picture.")

    assert exam.in_deliveries == 3
    assert [side.can_be_confirmed for side in exam.sides] == [False, False]
    with years.journal.look() as db:
        lines = {line.exam_id: line for line in overview.exams(db, clock.now())}
    assert "3 of its objects were on their way already, or there." in lines["old"].reason


def test_a_resend_is_known_within_the_time_and_the_servers_to_judge_after_it(
    gateway: Gateway, settings: Settings, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    made = [phantoms.ct_exam(tmp_path / f"{seed}", slices=2, size=64, seed=seed) for seed in (1, 2)]
    for number, one in enumerate(made, 1):
        pacs.send(one.files, "127.0.0.1", gateway.receive_port, "TRIAL1")
        until(lambda: [line.state for line in gateway.status().exams] == ["delivered"] * number)  # noqa: B023 - waited for here
    exam = made[0]
    journal, time = Journal(journal_path(settings)), Time(DAYS + 1)
    pacs.send(exam.files, "127.0.0.1", gateway.receive_port, "TRIAL1")
    within = len(server.deliveries)

    Retention(journal, Trail(journal, Secrets(bytes(32)), time), time, DAYS).run_once()
    pacs.send(exam.files, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: len(server.receipts) == 3)
    journal.close()

    assert within == 2
    *_, again = server.deliveries.values()
    assert again.manifest.supplement
    assert {digest for digests in server.archive.values() for digest in digests} >= set(again.objects)
