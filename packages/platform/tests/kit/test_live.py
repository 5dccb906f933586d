"""Messages leave at commit, once, small, with ids alone; a process that hears them forgets at once."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
import pytest
from django.db import transaction

from collegium.kit import ids, live
from collegium.kit.kept import Kept
from collegium.kit.live import EVERYTHING, Change, Listener
from collegium_testkit.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_testkit.world import World

PERSON, SPACE = UUID(int=1), UUID(int=2)


@contextmanager
def overhearing() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Somebody else's connection that listens."""
    with psycopg.connect(live._address(), autocommit=True) as connection:
        connection.execute(f"listen {live.CHANNEL}")
        yield connection


def told_to(connection: psycopg.Connection[tuple[object, ...]]) -> list[str]:
    """All messages of what was committed before; PostgreSQL delivers them in the order of their commits."""
    mark = str(ids.uuid7())
    connection.execute("select pg_notify(%s, %s)", [live.CHANNEL, mark])
    payloads = (one.payload for one in connection.notifies(timeout=PATIENCE_S))
    told = list(iter(payloads.__next__, mark))
    payloads.close()
    return told


def heard(connection: psycopg.Connection[tuple[object, ...]], *, by: UUID) -> list[str]:
    """Messages that came so far about one person or space; other tests on this database speak too."""
    return [one for one in told_to(connection) if str(by) in one]


def test_a_change_is_told_at_commit_once_and_with_ids_alone() -> None:
    space = ids.uuid7()
    with overhearing() as other, transaction.atomic():
        for _ in range(3):
            live.changed(space=space, thing="tasks")
        before = heard(other, by=space)
    with overhearing() as other:
        with transaction.atomic():
            for _ in range(3):
                live.changed(space=space, thing="tasks")
        after = heard(other, by=space)

    assert before == []
    assert [json.loads(one) for one in after] == [{"t": "tasks", "s": str(space)}]
    assert len(after[0]) < 200


def test_what_is_rolled_back_is_never_told() -> None:
    space = ids.uuid7()
    with overhearing() as other:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            live.changed(space=space, thing="tasks")
            raise ZeroDivisionError

        assert heard(other, by=space) == []


def test_a_change_of_a_person_and_of_a_space_are_two_messages() -> None:
    person, space = ids.uuid7(), ids.uuid7()
    with overhearing() as other:
        live.changed(person=person, space=space, thing="tasks")

        told = [json.loads(one) for one in told_to(other)]

    assert {"t": "tasks", "p": str(person)} in told
    assert {"t": "tasks", "s": str(space)} in told


@pytest.mark.parametrize("thing", ["", "Tasks of S-001", "x" * 31])
def test_a_thing_is_a_plain_word(thing: str) -> None:
    with pytest.raises(ValueError, match="a thing"):
        live.changed(space=SPACE, thing=thing)


@pytest.mark.parametrize("key", ["", "a b", "x" * 101])
def test_what_is_forgotten_has_a_short_key(key: str) -> None:
    with pytest.raises(ValueError, match="short key"):
        live.forget("grant", key)


def test_saving_an_answer_tells_nobody_anything(world: World) -> None:
    from collegium_testkit.study import new_study

    study = new_study(world)
    study.arrive()
    task = study.task()
    study.open(task)
    with overhearing() as other:
        study.save(task, 0, {"quality": {"text": "4"}})
        everything = told_to(other)
    owners = (str(world.space_id), str(study.reader.principal.id))
    told = [one for one in everything if any(owner in one for owner in owners)]

    assert told == []


def _listener(dropped: list[str | None]) -> Listener:
    made = Listener({"grant": dropped.append})
    made._begin()
    return made


def test_a_stream_hears_what_it_wants_and_only_that() -> None:
    async def listen() -> set[Change]:
        listener = _listener([])
        ear = listener.join(lambda change: change.space == SPACE, since=time.monotonic())
        for message in ({"t": "tasks", "s": str(SPACE)}, {"t": "tasks", "p": str(PERSON)}):
            for _ in range(5):
                listener._hear(json.dumps(message))
        return ear.take()

    assert asyncio.run(listen()) == {Change("tasks", space=SPACE)}


def test_a_late_stream_hears_what_it_missed_or_else_that_it_missed_something() -> None:
    async def listen() -> tuple[set[Change], set[Change]]:
        listener = _listener([])
        began = time.monotonic()
        listener._hear(json.dumps({"t": "tasks", "s": str(SPACE)}))
        late = listener.join(lambda _change: True, since=began)
        older = listener.join(lambda _change: True, since=began - 60)
        return late.take(), older.take()

    assert asyncio.run(listen()) == ({Change("tasks", space=SPACE)}, {EVERYTHING})


def test_a_stream_that_opened_while_nobody_listened_hears_again_that_it_missed_something() -> None:
    async def listen() -> tuple[set[Change], set[Change]]:
        listener = Listener({})
        ear = listener.join(lambda _change: False, since=time.monotonic())
        at_first = ear.take()
        listener._begin()
        return at_first, ear.take()

    assert asyncio.run(listen()) == ({EVERYTHING}, {EVERYTHING})


def test_a_stream_is_asked_again_at_once_and_not_at_its_next_heartbeat_when_something_was_forgotten() -> None:
    async def listen() -> bool:
        listener = _listener([])
        ear = listener.join(lambda _change: False, since=time.monotonic())
        waiting = asyncio.create_task(ear.wait(3600))
        await asyncio.sleep(0)
        listener._hear(json.dumps({"f": "session", "k": "one"}))
        await waiting
        return ear.must_check

    assert asyncio.run(listen())


def test_a_message_to_forget_drops_one_and_a_new_connection_drops_all() -> None:
    dropped: list[str | None] = []

    async def listen() -> None:
        listener = _listener(dropped)
        listener._hear(json.dumps({"f": "grant", "k": "one"}))
        listener._hear(json.dumps({"f": "unknown", "k": "one"}))

    asyncio.run(listen())

    assert dropped == [None, "one"]


@pytest.mark.parametrize(
    "payload", ["", "[]", '{"t": "tasks", "p": "no id"}', "{", "7", '{"t": {}}', '{"p": 7}']
)
def test_what_is_not_understood_ends_nothing(payload: str) -> None:
    async def listen() -> set[Change]:
        listener = _listener([])
        ear = listener.join(lambda _change: True, since=time.monotonic())
        listener._hear(payload)
        return ear.take()

    assert asyncio.run(listen()) == set()


def test_an_answer_older_than_a_drop_is_not_kept() -> None:
    kept: Kept[str, int] = Kept(60)
    mark = kept.begin()
    kept.drop(lambda key: key == "another")

    kept.keep("one", 1, mark)
    kept.keep("two", 2, kept.begin())

    assert (kept.get("one"), kept.get("two")) == (None, 2)


def test_a_kept_answer_ends_by_itself() -> None:
    kept: Kept[str, int] = Kept(0)

    kept.keep("one", 1, kept.begin())

    assert kept.get("one") is None
