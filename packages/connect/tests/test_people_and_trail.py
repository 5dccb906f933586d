"""Local people and the trail: who signs in, who is kept out, and that nothing written down changes."""

import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import collegium_connect
from collegium_connect import clock
from collegium_connect.actor import CONSOLE, GATEWAY, Actor, NotAllowed, Role
from collegium_connect.journal.database import Journal
from collegium_connect.keys import Secrets
from collegium_connect.people import NameTaken, PasswordWeak, People, PeopleError, SignInLocked, SignInRefused
from collegium_connect.people.passwords import Cost
from collegium_connect.trail import Trail, bring_over, for_the_server, words_of

PASSWORD = "correct horse battery"
OPERATOR = Actor("Ona Operator", Role.OPERATOR)


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = clock.now()

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite3"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    opened = Journal(path)
    yield opened
    opened.close()


@pytest.fixture
def trail(journal: Journal, time: Time) -> Trail:
    return Trail(journal, Secrets(bytes(32)), time)


@pytest.fixture
def people(journal: Journal, trail: Trail, time: Time) -> People:
    people = People(journal, trail, time, Cost(1 << 10, 8, 1))
    people.add(CONSOLE, "Ada  Admin", Role.ADMINISTRATOR, PASSWORD)
    return people


def note(journal: Journal, trail: Trail, action: str, **words: str) -> None:
    with journal.change() as db:
        trail.note(db, GATEWAY, action, **words)  # type: ignore[arg-type]  # all named words are text


def spoiled(path: Path, statement: str) -> None:
    """What somebody with the file and a tool could do."""
    raw = sqlite3.connect(path)
    raw.executescript(f"DROP TRIGGER trail_entries_stay; DROP TRIGGER trail_entries_remain; {statement}")
    raw.close()


def test_a_person_signs_in_with_name_and_password(people: People) -> None:
    person = people.check("ada admin", PASSWORD)

    assert (person.name, person.role) == ("Ada Admin", Role.ADMINISTRATOR)
    assert people.find(person.person_id) is not None


def test_the_password_itself_is_not_kept(people: People, path: Path) -> None:
    files = b"".join(item.read_bytes() for item in path.parent.iterdir())

    assert people.listed()
    assert PASSWORD.encode() not in files


@pytest.mark.parametrize("name", ["Ada Admin", "Nobody"])
def test_a_wrong_password_and_an_unknown_name_are_refused_in_the_same_words(
    people: People, name: str
) -> None:
    with pytest.raises(SignInRefused) as error:
        people.check(name, "another password")

    assert str(error.value) == SignInRefused.message


def test_five_failures_lock_an_account_for_a_quarter_of_an_hour(people: People, time: Time) -> None:
    for _ in range(5):
        with pytest.raises(SignInRefused):
            people.check("Ada Admin", "another password")

    with pytest.raises(SignInLocked):
        people.check("Ada Admin", PASSWORD)
    time.at += timedelta(minutes=16)

    assert people.check("Ada Admin", PASSWORD).name == "Ada Admin"


def test_an_administrator_unlocks(people: People) -> None:
    for _ in range(5):
        with pytest.raises(SignInRefused):
            people.check("Ada Admin", "another password")

    people.unlock(CONSOLE, "Ada Admin")

    assert people.check("Ada Admin", PASSWORD).name == "Ada Admin"


def test_a_closed_account_signs_in_no_more(people: People) -> None:
    person = people.check("Ada Admin", PASSWORD)

    people.close(CONSOLE, "Ada Admin")

    assert people.find(person.person_id) is None
    with pytest.raises(SignInRefused):
        people.check("Ada Admin", PASSWORD)


def test_an_operator_makes_no_accounts(people: People) -> None:
    with pytest.raises(NotAllowed):
        people.add(OPERATOR, "Another", Role.ADMINISTRATOR, PASSWORD)
    with pytest.raises(NotAllowed):
        people.set_password(OPERATOR, "Ada Admin", PASSWORD)


def test_people_change_their_own_password(people: People) -> None:
    people.add(CONSOLE, OPERATOR.name, Role.OPERATOR, PASSWORD)

    people.set_password(OPERATOR, OPERATOR.name, "something new and long")

    assert people.check(OPERATOR.name, "something new and long").role == Role.OPERATOR


@pytest.mark.parametrize("password", ["short", "Somebody Else", "x" * 1025])
def test_a_weak_password_is_refused(people: People, password: str) -> None:
    with pytest.raises(PasswordWeak):
        people.add(CONSOLE, "Somebody Else", Role.OPERATOR, password)


@pytest.mark.parametrize("name", ["ADA ADMIN", "console", "Gateway"])
def test_a_name_is_one_person(people: People, name: str) -> None:
    with pytest.raises(NameTaken):
        people.add(CONSOLE, name, Role.OPERATOR, PASSWORD)


@pytest.mark.parametrize("name", ["", "x" * 65, "line\x00break"])
def test_a_name_is_text_that_can_be_shown(people: People, name: str) -> None:
    with pytest.raises(PeopleError):
        people.add(CONSOLE, name, Role.OPERATOR, PASSWORD)


def test_all_of_it_is_in_the_trail(people: People, trail: Trail) -> None:
    person = people.check("Ada Admin", PASSWORD)
    with pytest.raises(SignInRefused):
        people.check("Ada Admin", "another password")

    lines = trail.of(person.person_id)

    assert [(line.actor, line.action) for line in lines] == [
        ("Ada Admin", "people.sign_in.failed"),
        ("Ada Admin", "people.person.signed_in"),
        ("console", "people.person.added"),
    ]


@pytest.mark.requirement("C18")
def test_the_trail_is_whole_until_somebody_changes_it(journal: Journal, trail: Trail) -> None:
    for number in range(3):
        note(journal, trail, "test.thing.done", ref=f"object-{number}", reason="Because.")

    verdict = trail.verify()

    assert verdict.is_whole
    assert (verdict.entries, verdict.head) == (3, trail.lines()[0].hash)


@pytest.mark.requirement("C18")
@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE trail SET actor = 'Somebody' WHERE seq = 2", 2),
        ("UPDATE trail SET sealed_reason = x'00' WHERE seq = 2", 2),
        ("DELETE FROM trail WHERE seq = 2", 2),
        ("DELETE FROM trail WHERE seq = 3", 3),
        ("UPDATE trail SET seq = 9 WHERE seq = 3", 3),
    ],
)
def test_the_trail_shows_where_it_was_changed(
    journal: Journal, trail: Trail, path: Path, statement: str, broken_at: int
) -> None:
    for number in range(3):
        note(journal, trail, "test.thing.done", ref=f"object-{number}")

    spoiled(path, statement)

    assert trail.verify().broken_at == broken_at


@pytest.mark.parametrize("statement", ["UPDATE trail SET actor = 'Somebody'", "DELETE FROM trail"])
def test_the_journal_itself_refuses_to_change_the_trail(
    journal: Journal, trail: Trail, statement: str
) -> None:
    note(journal, trail, "test.thing.done")

    with pytest.raises(sqlite3.IntegrityError, match="only ever added"), journal.change() as db:
        db.execute(statement)


def test_a_change_that_fails_leaves_no_entry(journal: Journal, trail: Trail) -> None:
    with pytest.raises(ZeroDivisionError), journal.change() as db:
        trail.note(db, GATEWAY, "test.thing.done")
        _ = 1 / 0

    assert trail.verify().entries == 0


def test_the_words_of_a_reason_are_sealed(journal: Journal, trail: Trail, path: Path) -> None:
    note(journal, trail, "test.thing.done", reason="Mrs Larkspur called.")

    content = b"".join(item.read_bytes() for item in path.parent.iterdir())

    assert trail.lines()[0].reason == "Mrs Larkspur called."
    assert b"Larkspur" not in content


@pytest.mark.requirement("C03")
def test_every_act_that_is_noted_has_words_for_people() -> None:
    noted = re.compile(
        r'"((?:channels|journal|links|people|pull|quarantine|send|updates)\.[a-z_]+\.[a-z_]+)"'
    )
    sources = [
        path.read_text("utf-8")
        for path in Path(collegium_connect.__path__[0]).rglob("*.py")
        if path.name != "words.py"
    ]
    acts = {act for source in sources for act in noted.findall(source)}

    assert len(acts) > 20
    assert [act for act in sorted(acts) if words_of(act) == act] == []


def test_the_server_hears_that_something_was_done_and_not_who_or_why(journal: Journal, trail: Trail) -> None:
    with journal.change() as db:
        trail.note(db, OPERATOR, "quarantine.object.released", ref="object-1", reason="Seen by me.")
        trail.note(db, GATEWAY, "test.thing.done", channel_id="ch-1")

    with journal.look() as db:
        entries = for_the_server(db, 0, 500)

    sent = b"".join(entry.to_json() for entry in entries)
    assert [entry.actor_role for entry in entries] == ["operator", "gateway"]
    assert entries[1].previous_hash == entries[0].hash
    assert b"Ona" not in sent
    assert b"Seen" not in sent


@pytest.mark.requirement("C18")
def test_entries_that_a_copy_lacks_are_brought_over_as_far_as_the_chain_holds(
    journal: Journal, trail: Trail, path: Path, tmp_path: Path
) -> None:
    note(journal, trail, "test.thing.first")
    copy = Journal(tmp_path / "copy.sqlite3")
    note(journal, trail, "test.thing.second", reason="Kept whole.")
    note(journal, trail, "test.thing.third")
    note(journal, trail, "test.thing.fourth")
    spoiled(path, "UPDATE trail SET actor = 'Somebody' WHERE seq = 4")

    with journal.look() as damaged, copy.change() as db:
        count = bring_over(db, damaged.execute("SELECT * FROM trail"))

    kept = Trail(copy, Secrets(bytes(32)), clock.now)
    assert (count, kept.verify().is_whole) == (3, True)
    assert [line.reason for line in kept.lines()] == ["", "Kept whole.", ""]
    copy.close()
