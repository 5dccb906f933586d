"""Signing in, out, and being locked out; every page needs it and says so the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from collegium.kit.database import SECOND, acting_as
from collegium.kit.principals import Actor, Principal
from collegium.trust.audit.actions import Action
from collegium.trust.audit.models import AuditEntry
from collegium.trust.identity.errors import AccountLocked, WrongPassword
from collegium.trust.identity.models import Account
from collegium.trust.identity.queries import principal_from_session
from collegium.trust.identity.services import confirm_password
from collegium_testkit.world import PASSWORD, new_person

if TYPE_CHECKING:
    from collegium_testkit.world import Person, World

pytestmark = pytest.mark.requirement("S04")

LOGIN = "/accounts/login/"


def sign_in(client: Client, email: str, password: str = PASSWORD) -> int:
    return client.post(LOGIN, {"login": email, "password": password}).status_code


def actions_of(principal: Principal) -> list[str]:
    with acting_as(principal):
        rows = AuditEntry.objects.filter(principal=principal.text).order_by("id")
        return list(rows.values_list("action", flat=True))


@pytest.mark.requirement("S01", "S04")
def test_a_person_signs_in_and_out_and_both_are_in_the_trail(world: World) -> None:
    client = Client()

    assert sign_in(client, world.administrator.email) == 302
    assert client.get("/").status_code == 200
    client.post("/accounts/logout/")

    assert client.get("/").status_code == 302
    assert {Action.SIGNED_IN, Action.SIGNED_OUT} <= set(actions_of(world.administrator.principal))


def test_the_address_is_found_whatever_its_case(world: World) -> None:
    assert sign_in(Client(), world.administrator.email.upper()) == 302


def test_a_wrong_password_and_an_unknown_address_look_the_same() -> None:
    person = new_person()

    wrong = Client().post(LOGIN, {"login": person.email, "password": "wrong"}).content
    unknown = Client().post(LOGIN, {"login": "nobody@example.org", "password": "wrong"}).content

    assert wrong.count(b'role="alert"') == unknown.count(b'role="alert"') == 1


@pytest.mark.parametrize("address", ["known", "unknown-{}@example.org"])
def test_five_failures_lock_an_address_known_or_not(address: str) -> None:
    person = new_person()
    email = person.email if address == "known" else address.format(person.principal.id.hex)
    for _ in range(5):
        sign_in(Client(), email, "wrong")

    answer = Client().post(LOGIN, {"login": email, "password": PASSWORD})

    assert answer.status_code == 200
    assert b"locked" in answer.content


@pytest.mark.requirement("S01", "S04")
def test_failures_are_in_the_trail_without_the_address() -> None:
    person = new_person()
    sign_in(Client(), person.email, "wrong")

    with acting_as(Principal.system()):
        bodies = AuditEntry.objects.filter(action=Action.SIGN_IN_FAILED).values_list("body", flat=True)
        assert bodies
        assert not any(person.email in body for body in bodies)


def test_a_success_resets_the_count() -> None:
    person = new_person()
    for _ in range(4):
        sign_in(Client(), person.email, "wrong")
    assert sign_in(Client(), person.email) == 302

    sign_in(Client(), person.email, "wrong")

    assert sign_in(Client(), person.email) == 302


def test_confirming_a_password_counts_towards_the_same_lock(world: World) -> None:
    person = world.administrator
    for _ in range(5):
        with pytest.raises(WrongPassword):
            _confirm(person, "wrong")

    with pytest.raises(AccountLocked):
        _confirm(person, PASSWORD)


def _confirm(person: Person, password: str) -> None:
    with acting_as(person.principal):
        confirm_password(actor=Actor(person.principal), account_id=person.principal.id, password=password)


def test_a_failed_confirmation_stays_counted_when_the_request_rolls_back() -> None:
    person = new_person()
    with pytest.raises(WrongPassword):
        _confirm(person, "wrong")

    assert Action.SIGN_IN_FAILED in actions_of(person.principal)


@pytest.mark.parametrize("fault", ["deactivated", "password changed", "expired", "signed out", "invented"])
def test_a_session_is_nobodys_after(fault: str) -> None:
    person = new_person()
    client = Client()
    sign_in(client, person.email)
    key = client.session.session_key
    assert principal_from_session(key) == person.principal

    account = Account.objects.using(SECOND).get(id=person.principal.id)
    if fault == "deactivated":
        account.is_active = False
        account.save()
    elif fault == "password changed":
        account.set_password("another long enough password")
        account.save()
    elif fault == "expired":
        session = client.session
        session.set_expiry(-1)
        session.save()
    elif fault == "signed out":
        client.post("/accounts/logout/")
    else:
        key = "0" * 32

    assert principal_from_session(key) is None


@pytest.mark.requirement("S05")
def test_nobody_can_sign_up_uninvited() -> None:
    assert Client().get("/accounts/signup/").status_code == 404


def test_every_page_says_to_sign_in_first(world: World) -> None:
    answer = Client().get(f"/projects/{world.space_id}/")

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(LOGIN)


def test_answers_carry_the_strict_policy() -> None:
    policy = Client().get(LOGIN).headers["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy


def test_pages_name_no_other_host_and_hold_nothing_inline() -> None:
    page = Client().get(LOGIN).content.decode()

    assert "http://" not in page.replace("http://testserver", "")
    assert "https://" not in page
    assert "<style" not in page
    assert " style=" not in page
    assert " onclick=" not in page


def test_a_session_cookie_is_out_of_scripts_reach(world: World) -> None:
    client = Client()
    sign_in(client, world.administrator.email)

    cookie = client.cookies["collegium_session"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
