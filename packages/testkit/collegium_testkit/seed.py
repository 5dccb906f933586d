"""Fill an empty installation with an invented trial: organisation, project, people, one gateway's code.

python -m collegium_testkit.seed      (prints what it made as JSON)
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from collegium_testkit import trial
from collegium_testkit.trial import SeededTrial

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor, Principal

PASSWORD = "demo passphrase one"
CALLED_AE = "LARKSPUR"
CALLING_AE = "DEMOPACS"


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was made. All names are invented."""

    space_id: str
    project: str
    password: str
    administrator: str
    reader: str
    viewer: str
    gateway_code: str
    called_ae: str
    calling_ae: str
    trial: SeededTrial


def main() -> None:
    """Make it and print it."""
    print(json.dumps(asdict(seeded())))


def seeded() -> Seeded:
    """In a process that has not met Django yet."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collegium.settings.django")
    import django

    django.setup()
    from collegium import wiring

    wiring.connect()
    return seed()


def seed() -> Seeded:
    """Through the product's own services, as people would."""
    from collegium.kit.database import acting_as
    from collegium.kit.principals import Actor, Principal
    from collegium.research.pipeline.publishing import publish_project
    from collegium.trust.access.queries import actor_in
    from collegium.trust.access.services import found_space
    from collegium.trust.identity.services import create_account
    from collegium.trust.tenancy import services as tenancy
    from collegium.trust.tenancy.models import SpaceKind

    people: dict[str, Principal] = {}
    for email, name in (
        ("admin@demo.example", "Ines Invented"),
        ("reader@demo.example", "Rune Invented"),
        ("viewer@demo.example", "Vera Invented"),
    ):
        with acting_as(Principal.system()):
            account = create_account(actor=Actor.system(), email=email, full_name=name, password=PASSWORD)
        people[email] = account.principal
    admin = people["admin@demo.example"]
    with acting_as(Principal.system()):
        organisation = tenancy.create_organisation(
            actor=Actor.system(), name="Larkspur Trials (invented)", officer=admin
        )
    officer = Actor(admin, organisation_id=organisation.id, role="Officer")
    with acting_as(admin):
        space_id = found_space(actor=officer, kind=SpaceKind.PROJECT, name="CT lesion pilot", founder=admin)
    with acting_as(admin, [space_id]):
        actor = actor_in(admin, space_id)
        tenancy.add_member(actor=actor, principal=people["reader@demo.example"], role="Reader")
        tenancy.add_member(actor=actor, principal=people["viewer@demo.example"], role="Viewer")
        text = files("collegium.research").joinpath("examples/ct-lesion.yaml").read_text("utf-8")
        publish_project(actor=actor, text=text)
        code = _gateway(actor, "Larkspur General", "CT lesion pilot", CALLED_AE)
    return Seeded(
        space_id=str(space_id),
        project="CT lesion pilot",
        password=PASSWORD,
        administrator="admin@demo.example",
        reader="reader@demo.example",
        viewer="viewer@demo.example",
        gateway_code=code,
        called_ae=CALLED_AE,
        calling_ae=CALLING_AE,
        trial=_trial(admin, organisation.id),
    )


def _trial(admin: Principal, organisation_id: UUID) -> SeededTrial:
    """The second project, with a gateway of its own."""
    from collegium.kit.database import acting_as
    from collegium.trust.access.queries import actor_in

    space_id = trial.seed_trial(administrator=admin, organisation_id=organisation_id, password=PASSWORD)
    with acting_as(admin, [space_id]):
        code = _gateway(actor_in(admin, space_id), "Larkspur research", trial.NAME, trial.CALLED_AE)
    people = {short: email for short, (email, _name, _role) in trial.PEOPLE.items()}
    return SeededTrial(str(space_id), trial.NAME, trial.CALLED_AE, code, people)


def _gateway(actor: Actor, name: str, project: str, called_ae: str) -> str:
    """A gateway with one channel; its one-time code."""
    from collegium.imaging.connections import services as connections
    from collegium_deid import load_recipe

    gateway = connections.add_gateway(actor=actor, name=name)
    connections.add_channel(
        actor=actor,
        gateway_id=gateway.id,
        name=f"{name} Hospital",
        called_ae=called_ae,
        project_name=project,
        site_code="01",
        site_name="Example hospital",
        recipe_text=load_recipe("trial").text.replace(
            "look: all", f"look: {os.environ.get('DEMO_LOOK', 'all')}"
        ),
        quiet_time_s=int(os.environ.get("DEMO_QUIET_TIME_S", "5")),
    )
    return connections.issue_code(actor=actor, gateway_id=gateway.id).code


if __name__ == "__main__":
    main()
