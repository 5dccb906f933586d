"""Invented organisations, projects and people, made through the product's own services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.kit.principals import Actor, Principal
from collegium.trust.access.queries import actor_in
from collegium.trust.access.services import found_space
from collegium.trust.identity.services import create_account
from collegium.trust.tenancy import services as tenancy
from collegium.trust.tenancy.models import SpaceKind

if TYPE_CHECKING:
    from uuid import UUID

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Person:
    """An invented account that can sign in with `PASSWORD`."""

    principal: Principal
    email: str
    full_name: str


@dataclass(frozen=True, slots=True)
class World:
    """One organisation with one project and its administrator."""

    organisation_id: UUID
    space_id: UUID
    administrator: Person

    def actor(self, person: Person | None = None) -> Actor:
        """`person` (or the administrator) in the project; call it inside `acting_as`."""
        return actor_in((person or self.administrator).principal, self.space_id)

    def join(self, role: str) -> Person:
        """A new person with `role` in the project."""
        person = new_person(role)
        self.admit(person.principal, role)
        return person

    def admit(self, principal: Principal, role: str) -> None:
        with acting_as(self.administrator.principal, [self.space_id]):
            tenancy.add_member(actor=self.actor(), principal=principal, role=role)


def new_person(name: str = "Person") -> Person:
    tag = ids.uuid7().hex[-10:]
    email = f"{name.lower().replace(' ', '.')}.{tag}@example.org"
    with acting_as(Principal.system()):
        account = create_account(
            actor=Actor.system(), email=email, full_name=f"{name} {tag} (invented)", password=PASSWORD
        )
    return Person(account.principal, email, account.full_name)


def new_world(name: str = "World") -> World:
    """A new organisation, its officer, one project founded by that officer."""
    tag = ids.uuid7().hex[-10:]
    officer = new_person("Administrator")
    with acting_as(Principal.system()):
        organisation = tenancy.create_organisation(
            actor=Actor.system(), name=f"{name} {tag} (invented)", officer=officer.principal
        )
    with acting_as(officer.principal):
        space_id = found_space(
            actor=Actor(officer.principal, organisation_id=organisation.id, role="Officer"),
            kind=SpaceKind.PROJECT,
            name=f"Project {tag}",
            founder=officer.principal,
        )
    return World(organisation.id, space_id, officer)
