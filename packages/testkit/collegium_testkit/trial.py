"""The second demo project: a RECIST-like trial of two readers and an adjudicator, with everyone who works in it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Principal

CALLED_AE = "RESPONSE"
NAME = "Response 2+1"
SITE = "01"
PEOPLE = {
    "site": ("site@demo.example", "Sten Invented", "Site user"),
    "qc": ("qc@demo.example", "Quilla Invented", "Data manager"),
    "reader1": ("reader1@demo.example", "Rosa Invented", "Reader"),
    "reader2": ("reader2@demo.example", "Rafael Invented", "Reader"),
    "adjudicator": ("adjudicator@demo.example", "Ada Invented", "Adjudicator"),
    "sponsor": ("sponsor@demo.example", "Sol Invented", "Sponsor viewer"),
}
"""By short name: e-mail, invented name, role."""
AT_SITE = ("site", "qc")


@dataclass(frozen=True, slots=True)
class SeededTrial:
    """What was made. All names are invented."""

    space_id: str
    project: str
    called_ae: str
    gateway_code: str
    people: dict[str, str]
    """E-mail by short name."""


def seed_trial(*, administrator: Principal, organisation_id: UUID, password: str) -> UUID:
    """Found the project, publish its file, let its people join."""
    from collegium.kit.database import acting_as
    from collegium.kit.principals import Actor, Principal
    from collegium.research.pipeline.publishing import publish_project
    from collegium.research.projects import queries as projects
    from collegium.research.projects.people.services import join_site
    from collegium.trust.access.queries import actor_in
    from collegium.trust.access.services import found_space
    from collegium.trust.identity.services import create_account
    from collegium.trust.tenancy import services as tenancy
    from collegium.trust.tenancy.models import SpaceKind

    accounts = {}
    for short, (email, name, _role) in PEOPLE.items():
        with acting_as(Principal.system()):
            account = create_account(actor=Actor.system(), email=email, full_name=name, password=password)
        accounts[short] = account.principal
    officer = Actor(administrator, organisation_id=organisation_id, role="Officer")
    with acting_as(administrator):
        space_id = found_space(actor=officer, kind=SpaceKind.PROJECT, name=NAME, founder=administrator)
    text = files("collegium.research").joinpath("examples/response-2plus1.yaml").read_text("utf-8")
    with acting_as(administrator, [space_id]):
        actor = actor_in(administrator, space_id)
        publish_project(actor=actor, text=text)
        for short, (_email, _name, role) in PEOPLE.items():
            tenancy.add_member(actor=actor, principal=accounts[short], role=role)
        site = next(site for site in projects.sites(actor) if site.code == SITE)
        for short in AT_SITE:
            join_site(actor=actor, principal=accounts[short], site_id=site.id)
    return space_id
