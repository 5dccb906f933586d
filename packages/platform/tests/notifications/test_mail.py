"""One e-mail for all that is new, and not a word in it that a mail server should not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from collegium.cli.doctor import examine
from collegium.kit.database import acting_as
from collegium.notifications import mail, services
from collegium.notifications.models import NotificationKind
from collegium.settings.installation import installation
from collegium_testkit.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from collegium_testkit.study import Study
    from collegium_testkit.world import Person, World


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mail server that this installation sends to, without waiting for more."""
    with Mailbox() as box:
        told = installation().model_copy(
            update={
                "mail_host": "127.0.0.1",
                "mail_port": box.port,
                "mail_security": "none",
                "mail_wait_s": 0,
            }
        )
        monkeypatch.setattr(mail, "installation", lambda: told)
        monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
        monkeypatch.setattr(settings, "EMAIL_HOST", "127.0.0.1")
        monkeypatch.setattr(settings, "EMAIL_PORT", box.port)
        monkeypatch.setattr(settings, "EMAIL_USE_TLS", False)
        yield box


@pytest.fixture
def study(world: World) -> Study:
    from collegium_testkit.study import new_study

    return new_study(world)


def tell(world: World, person: Person, kind: NotificationKind = NotificationKind.TASK_OPENED) -> None:
    with acting_as(world.administrator.principal, [world.space_id]):
        services.tell(world.actor(), to=person.principal, kind=kind, address="/tasks/")


def sent_to(mailbox: Mailbox, person: Person) -> list[EmailMessage]:
    return [message for message in mailbox.messages if message["To"] == person.email]


def test_what_came_together_is_told_in_one_message(mailbox: Mailbox, world: World) -> None:
    reader = world.join("Reader")
    for _ in range(3):
        tell(world, reader)
    tell(world, reader, NotificationKind.QUERY_OPENED)

    mail.send_waiting()

    (message,) = sent_to(mailbox, reader)
    assert "3 new tasks" in message.get_content()
    assert "1 query to answer" in message.get_content()
    assert f"{installation().address}/notifications/" in message.get_content()


def test_nothing_is_told_twice(mailbox: Mailbox, world: World) -> None:
    reader = world.join("Reader")
    tell(world, reader)

    mail.send_waiting()
    mail.send_waiting()

    assert len(sent_to(mailbox, reader)) == 1


def test_who_has_looked_gets_no_message(mailbox: Mailbox, world: World) -> None:
    reader = world.join("Reader")
    tell(world, reader)
    with acting_as(reader.principal):
        services.mark_seen(reader.principal)

    mail.send_waiting()

    assert sent_to(mailbox, reader) == []


def test_who_turned_it_off_gets_no_message(mailbox: Mailbox, world: World) -> None:
    reader = world.join("Reader")
    with acting_as(reader.principal):
        services.choose_mail(reader.principal, wants_mail=False)
    tell(world, reader)

    mail.send_waiting()

    assert sent_to(mailbox, reader) == []


def test_a_refused_address_keeps_nobody_else_from_being_told(mailbox: Mailbox, world: World) -> None:
    refused, other = world.join("Reader"), world.join("Reader")
    mailbox.refuses.add(refused.email)
    tell(world, refused)
    tell(world, other)

    with pytest.raises(ExceptionGroup, match="Some messages"):
        mail.send_waiting()
    mailbox.refuses.clear()
    mail.send_waiting()

    assert len(sent_to(mailbox, other)) == 1
    assert len(sent_to(mailbox, refused)) == 1


@pytest.mark.parametrize("kind", list(NotificationKind))
def test_a_message_names_no_subject_label_visit_site_or_reader(
    mailbox: Mailbox, study: Study, kind: NotificationKind
) -> None:
    study.arrive("S-CANARY-77")
    task = study.task()
    tell(study.world, study.reader, kind)

    mail.send_waiting()

    (message,) = sent_to(mailbox, study.reader)
    words = message.as_string().replace(study.reader.email, "")
    hidden = ("CANARY", task.label, str(task.id), "baseline", "Baseline", "hospital", study.reader.full_name)
    assert [word for word in hidden if word in words] == []


def test_without_a_mail_server_nothing_is_sent_and_the_doctor_says_so(world: World) -> None:
    tell(world, world.join("Reader"))

    assert mail.send_waiting() == 0
    assert any("no e-mail is sent" in finding.what for finding in examine(installation()))


@pytest.mark.requirement("U07")
def test_the_doctor_names_a_mail_server_that_does_not_answer() -> None:
    told = installation().model_copy(
        update={"mail_host": "127.0.0.1", "mail_port": 9, "mail_security": "none"}
    )

    (finding,) = [one for one in examine(told) if "mail server" in one.what]

    assert not finding.is_well
    assert "COLLEGIUM_MAIL" in finding.remedy
