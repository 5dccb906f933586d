"""Dialogues about answers: who asks, who answers, who sees what of them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError, connection

from collegium.forms.answers import Answer, AnswerKind
from collegium.forms.definition import Check, FormDefinition, Item, ItemKind, Severity
from collegium.forms.judge import judge
from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound, Refused
from collegium.research.data_queries import queries, services
from collegium.research.data_queries.checks import Failed, failed_checks
from collegium.research.data_queries.errors import (
    NotAskedOfYou,
    QueriesOpen,
    QueryItemUnknown,
    QueryMoved,
    QueryTextNeeded,
    SiteCannotBeAsked,
    TextNamesSubject,
)
from collegium.research.data_queries.models import AskedOf, DataQuery, QueryMessage
from collegium.research.data_queries.view import QueryView, shown
from collegium.research.pipeline import services as pipeline
from collegium.research.pipeline.models import Task
from collegium.research.projects.models import Site, Subject
from collegium.research.projects.people import services as people
from collegium.trust.audit.models import AuditEntry

if TYPE_CHECKING:
    from uuid import UUID

    from collegium_testkit.study import Study
    from collegium_testkit.world import Person, World

QUESTION = "Is the diameter of the right lesion?"
RANGE = Failed("quality", "out_of_range", "Between 1 and 5 points is possible.")
CHECK = Failed("diameter", "check:1234", "Lesions under 2 mm need a better image.")


@pytest.fixture
def asked(study: Study) -> Study:
    """One exam of S-SECRET at the example hospital, with a task of the study's reader."""
    study.arrive("S-SECRET")
    world = study.world
    with acting_as(world.administrator.principal, [world.space_id]):
        site = Site.objects.get(space_id=world.space_id)
        Subject.objects.filter(space_id=world.space_id).update(site=site)
    return study


def at_site(world: World, role: str = "Site user") -> Person:
    """Somebody of the example hospital."""
    person = world.join(role)
    with acting_as(world.administrator.principal, [world.space_id]):
        site = Site.objects.get(space_id=world.space_id)
        people.join_site(actor=world.actor(), principal=person.principal, site_id=site.id)
    return person


def ask(study: Study, text: str = QUESTION, item: str = "diameter", by: Person | None = None) -> DataQuery:
    world, asker = study.world, by or study.world.administrator
    with acting_as(asker.principal, [world.space_id]):
        return services.open_task_query(
            actor=world.actor(asker), task_id=_task(study).id, text=text, item=item
        )


def _task(study: Study) -> Task:
    return Task.objects.get(space_id=study.world.space_id)


def ask_site(study: Study, text: str = "Send the missing series.", by: Person | None = None) -> DataQuery:
    world, asker = study.world, by or study.world.administrator
    with acting_as(asker.principal, [world.space_id]):
        subject = Subject.objects.get(space_id=world.space_id)
        return services.open_subject_query(
            actor=world.actor(asker), subject_id=subject.id, text=text, visit_code="baseline"
        )


def act(study: Study, by: Person, what: str, query_id: UUID, text: str = "Because.") -> DataQuery:
    """One of answer, close, reopen."""
    with acting_as(by.principal, [study.world.space_id]):
        service = getattr(services, f"{what}_query")
        done: DataQuery = service(actor=study.world.actor(by), query_id=query_id, text=text)
        return done


def check(study: Study, *problems: Failed) -> list[tuple[str, str, str]]:
    """Judge the task of the reader, who is at it; all system queries, oldest first."""
    world = study.world
    with acting_as(study.reader.principal, [world.space_id]):
        services.open_system_queries(actor=world.actor(study.reader), task=_task(study), problems=problems)
        rows = DataQuery.objects.filter(space_id=world.space_id, kind="system").order_by("listing")
        return [(row.item, row.rule, row.state) for row in rows]


def seen(study: Study, by: Person) -> list[QueryView]:
    with acting_as(by.principal, [study.world.space_id]):
        actor = study.world.actor(by)
        return [shown(actor, row) for row in queries.visible(actor).prefetch_related("messages")]


@pytest.mark.requirement("R56")
def test_a_query_is_asked_answered_asked_again_and_closed_and_every_turn_stays(asked: Study) -> None:
    manager, reader = asked.world.administrator, asked.reader

    query = ask(asked)
    act(asked, reader, "answer", query.id, "Yes.")
    act(asked, manager, "reopen", query.id, "Look again, please.")
    act(asked, reader, "answer", query.id, "The left one, corrected.")
    last = act(asked, manager, "close", query.id, "")

    (view,) = seen(asked, manager)
    assert last.state == "closed"
    assert [(one.act, one.text) for one in view.messages] == [
        ("asked", QUESTION),
        ("answered", "Yes."),
        ("asked again", "Look again, please."),
        ("answered", "The left one, corrected."),
        ("closed the query", ""),
    ]


@pytest.mark.requirement("R56")
def test_every_turn_is_in_the_trail_with_the_digest_of_what_was_said(asked: Study) -> None:
    query = ask(asked)
    act(asked, asked.reader, "answer", query.id)
    act(asked, asked.world.administrator, "close", query.id)

    with acting_as(asked.world.administrator.principal, [asked.world.space_id]):
        rows = AuditEntry.objects.filter(object_kind="research.query", object_id=str(query.id)).order_by("id")
        told = [(row.action, len(json.loads(row.body)["new"]["digest"])) for row in rows]

    assert told == [
        ("research.query.opened", 64),
        ("research.query.answered", 64),
        ("research.query.closed", 64),
    ]


@pytest.mark.requirement("R40", "R42", "R56")
def test_a_blinded_reader_sees_the_label_for_the_subject_and_no_name(asked: Study) -> None:
    query = ask(asked)
    act(asked, asked.reader, "answer", query.id)
    act(asked, asked.world.administrator, "reopen", query.id)

    (view,) = seen(asked, asked.reader)

    assert view.subject == asked.task().label
    assert [one.who for one in view.messages] == ["Data management", "You", "Data management"]
    assert (view.visit, view.opened_by) == ("", "Data management")
    assert "SECRET" not in repr(view)
    assert asked.world.administrator.full_name not in repr(view)


def test_a_manager_sees_subject_visit_place_and_names(asked: Study) -> None:
    ask(asked)

    (view,) = seen(asked, asked.world.join("Monitor"))

    assert (view.subject, view.visit, view.step) == ("S-SECRET", "Baseline", "Central reading")
    assert view.item == "Longest diameter"
    assert view.opened_by == asked.world.administrator.full_name


@pytest.mark.requirement("R32", "R56")
def test_nobody_else_sees_a_query_about_a_read(asked: Study) -> None:
    query = ask(asked)
    world = asked.world
    others = [world.join("Reader"), world.join("Viewer"), world.join("Sponsor viewer"), at_site(world)]

    for other in [*others, at_site(world, "Data manager")]:
        assert seen(asked, other) == []
        with pytest.raises(NotFound):
            act(asked, other, "answer", query.id)


@pytest.mark.requirement("R41")
@pytest.mark.parametrize(
    "text", ["About S-SECRET:", "Why is s-secret so dark?", "Ask EXAMPLE HOSPITAL about it."]
)
def test_a_question_to_a_blinded_reader_names_neither_subject_nor_site(asked: Study, text: str) -> None:
    with pytest.raises(TextNamesSubject):
        ask(asked, text)

    query = ask(asked)
    act(asked, asked.reader, "answer", query.id)
    with pytest.raises(TextNamesSubject):
        act(asked, asked.world.administrator, "reopen", query.id, text)
    with pytest.raises(TextNamesSubject):
        act(asked, asked.world.administrator, "close", query.id, text)


@pytest.mark.requirement("R40")
def test_a_reader_finds_by_label_and_text_and_never_by_the_code_of_the_subject(asked: Study) -> None:
    ask(asked)
    ask_site(asked)
    world, label = asked.world, asked.task().label

    def numbers(person: Person) -> list[int]:
        with acting_as(person.principal, [world.space_id]):
            actor = world.actor(person)
            rows = queries.visible(actor)
            return [queries.found(actor, rows, text).count() for text in ("secret", label, "diameter")]

    assert numbers(asked.reader) == [0, 1, 1]
    assert numbers(at_site(world)) == [1, 0, 0]
    assert numbers(world.administrator) == [2, 1, 1]


@pytest.mark.requirement("R56")
def test_a_site_is_asked_about_its_subject_answers_and_sees_nothing_of_reads(asked: Study) -> None:
    ask(asked)
    user = at_site(asked.world)

    query = ask_site(asked)
    (view,) = seen(asked, user)
    answered = act(asked, user, "answer", query.id, "Sent today.")

    assert answered.state == "answered"
    assert (view.id, view.subject, view.visit, view.step, view.task_id) == (
        query.id, "S-SECRET", "Baseline", "", None,
    )  # fmt: skip
    assert asked.task().label not in repr(view)


@pytest.mark.requirement("R02")
def test_a_person_of_another_site_or_of_none_does_not_find_a_sites_query(asked: Study) -> None:
    query = ask_site(asked)

    for other in (asked.world.join("Site user"), asked.world.join("Data manager"), asked.reader):
        assert seen(asked, other) == []
        with pytest.raises(NotFound):
            act(asked, other, "answer", query.id)


@pytest.mark.requirement("R41")
def test_a_reader_who_also_belongs_to_the_site_sees_nothing_of_the_sites_queries(asked: Study) -> None:
    ask_site(asked)

    assert seen(asked, at_site(asked.world, "Reader")) == []


def test_a_data_manager_of_the_site_asks_the_site_and_never_a_reader(asked: Study) -> None:
    manager = at_site(asked.world, "Data manager")

    query = ask_site(asked, by=manager)
    with pytest.raises(NotFound):
        ask(asked, by=manager)

    assert query.asked_of == "site"


def test_a_site_is_never_asked_about_a_read(asked: Study) -> None:
    world = asked.world

    with acting_as(world.administrator.principal, [world.space_id]), pytest.raises(SiteCannotBeAsked):
        services.open_task_query(
            actor=world.actor(), task_id=_task(asked).id, text=QUESTION, asked_of=AskedOf.SITE
        )


def test_a_subject_of_no_site_has_nobody_to_ask(study: Study) -> None:
    study.arrive()

    with pytest.raises(SiteCannotBeAsked):
        ask_site(study)


@pytest.mark.requirement("R01", "R56")
@pytest.mark.parametrize("role", ["Editor", "Viewer", "Reader", "Site user", "Sponsor viewer"])
def test_only_who_handles_queries_opens_closes_and_asks_again(asked: Study, role: str) -> None:
    query, person = ask_site(asked), at_site(asked.world, role)

    with pytest.raises(Refused):
        ask_site(asked, by=person)
    with pytest.raises(Refused):
        act(asked, person, "close", query.id)
    with pytest.raises(Refused):
        act(asked, person, "reopen", query.id)


def test_who_asked_does_not_answer(asked: Study) -> None:
    query = ask(asked)

    with pytest.raises(NotAskedOfYou):
        act(asked, asked.world.administrator, "answer", query.id)


def test_a_query_moves_only_from_where_it_is(asked: Study) -> None:
    manager, reader, query = asked.world.administrator, asked.reader, ask(asked)

    with pytest.raises(QueryMoved):
        act(asked, manager, "reopen", query.id)
    act(asked, reader, "answer", query.id)
    with pytest.raises(QueryMoved):
        act(asked, reader, "answer", query.id)
    act(asked, manager, "close", query.id)
    with pytest.raises(QueryMoved):
        act(asked, manager, "close", query.id)


@pytest.mark.parametrize("text", ["", "  \n", "x" * 1001])
def test_a_turn_says_something_and_not_too_much(asked: Study, text: str) -> None:
    with pytest.raises(QueryTextNeeded):
        ask(asked, text)

    query = ask(asked)
    with pytest.raises(QueryTextNeeded):
        act(asked, asked.reader, "answer", query.id, text)


def test_a_query_is_about_an_item_that_exists(asked: Study) -> None:
    with pytest.raises(QueryItemUnknown):
        ask(asked, item="nothing")


@pytest.mark.requirement("R56")
def test_a_failed_check_opens_one_query_and_closes_it_when_it_holds_again(asked: Study) -> None:
    first = check(asked, RANGE, CHECK)
    again = check(asked, RANGE, CHECK)
    mended = check(asked, CHECK)

    assert first == again == [("quality", RANGE.rule, "open"), ("diameter", CHECK.rule, "open")]
    assert mended == [("quality", RANGE.rule, "closed"), ("diameter", CHECK.rule, "open")]


@pytest.mark.requirement("R56")
def test_a_check_that_fails_once_more_asks_once_more(asked: Study) -> None:
    check(asked, CHECK)
    check(asked)

    assert check(asked, CHECK) == [("diameter", CHECK.rule, "closed"), ("diameter", CHECK.rule, "open")]


@pytest.mark.requirement("R56")
def test_an_answer_that_a_person_accepted_is_not_asked_about_again_while_the_check_fails(
    asked: Study,
) -> None:
    check(asked, CHECK)
    (view,) = seen(asked, asked.reader)
    act(asked, asked.reader, "answer", view.id, "It is that small.")
    act(asked, asked.world.administrator, "close", view.id)

    still = check(asked, CHECK)
    check(asked)
    afterwards = check(asked, CHECK)

    assert still == [("diameter", CHECK.rule, "closed")]
    assert afterwards == [("diameter", CHECK.rule, "closed"), ("diameter", CHECK.rule, "open")]


@pytest.mark.requirement("R56")
def test_signing_may_ask_that_nothing_is_open(asked: Study) -> None:
    world, query = asked.world, ask(asked)

    with acting_as(asked.reader.principal, [world.space_id]), pytest.raises(QueriesOpen):
        queries.require_none_open(world.actor(asked.reader), _task(asked))
    act(asked, asked.reader, "answer", query.id)
    with acting_as(asked.reader.principal, [world.space_id]):
        queries.require_none_open(world.actor(asked.reader), _task(asked))


def test_the_page_of_a_task_has_its_live_queries_by_item(asked: Study) -> None:
    about_item, about_all, closed = ask(asked), ask(asked, "Is this complete?", ""), ask(asked, "Done?", "")
    act(asked, asked.world.administrator, "close", closed.id)

    with acting_as(asked.reader.principal, [asked.world.space_id]):
        actor, task = asked.world.actor(asked.reader), _task(asked)
        page, counts = queries.for_page(actor, task), queries.open_counts([task.id])

    assert [view.id for view in page.by_path["diameter"]] == [about_item.id]
    assert [view.id for view in page.general] == [about_all.id]
    assert (page.open_count, counts) == (2, {task.id: 2})


@pytest.mark.requirement("R02", "R03")
def test_queries_of_another_project_do_not_exist(asked: Study, other_world: World) -> None:
    query = ask(asked)

    with acting_as(other_world.administrator.principal):
        actor = other_world.actor()
        assert not queries.visible(actor).exists()
        assert not DataQuery.objects.exists()
        with pytest.raises(NotFound):
            services.close_query(actor=actor, query_id=query.id)
        with pytest.raises(NotFound):
            services.open_task_query(actor=actor, task_id=ids.uuid7(), text=QUESTION)


@pytest.mark.requirement("R21")
def test_the_queries_of_a_task_leave_its_person_with_it(asked: Study) -> None:
    world, query = asked.world, ask(asked)
    with acting_as(asked.reader.principal, [world.space_id]):
        pipeline.hand_back(actor=world.actor(asked.reader), task_id=_task(asked).id, reason="Knows them.")

    with pytest.raises(NotFound):
        act(asked, asked.reader, "answer", query.id)

    assert seen(asked, asked.reader) == []
    assert len(seen(asked, world.administrator)) == 1


@pytest.mark.parametrize("statement", ["update {} set text = 'x'", "delete from {}"])
def test_what_was_said_is_never_changed_or_removed(asked: Study, statement: str) -> None:
    ask(asked)

    with (
        acting_as(asked.world.administrator.principal, [asked.world.space_id]),
        pytest.raises(DatabaseError, match="permission denied"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(QueryMessage._meta.db_table))


def test_the_failed_checks_of_a_form_are_told_apart_and_empty_answers_are_none() -> None:
    checks = (Check("n < 3", {"en": "This."}, Severity.WARNING), Check("n < 4", {"en": "That."}))
    size = Item("n", ItemKind.NUMBER, {"en": "Size"}, highest=Decimal(5), checks=checks)
    empty = Item("m", ItemKind.NUMBER, {"en": "Number"})
    form = FormDefinition("f", {"en": "F"}, (size, empty), checks=(Check("n < 2", {"en": "All."}),))

    failed = failed_checks(judge(form, {"n": Answer(AnswerKind.VALUE, "9")}))

    assert [(one.item, one.text) for one in failed] == [
        ("n", "At most 5  is possible."), ("n", "This."), ("n", "That."), ("", "All."),
    ]  # fmt: skip
    assert len({one.rule for one in failed}) == 4
