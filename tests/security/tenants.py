"""Fill a seeded installation with a second reader and, beside it, another organisation with its own project.

python -m tests.security.tenants SPACE_ID      (prints what it made as JSON)
"""

from __future__ import annotations

import json
import os
import sys
from importlib.resources import files
from uuid import UUID

SECOND_READER = ("second@demo.example", "Siri Canarysecond")
EDITOR = ("editor@demo.example", "Edda Canaryeditor")
STRANGER = ("stranger@other.example", "Stig Canarystranger")
FOREIGN_PROJECT, FOREIGN_SITE = "Canaryforeign trial", "Canaryforeign hospital"


def main() -> None:
    """Make it and print it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collegium.settings.django")
    import django

    django.setup()
    from collegium import wiring

    wiring.connect()
    sys.stdout.write(json.dumps(fill(UUID(sys.argv[1]))))


def fill(space_id: UUID) -> dict[str, str]:
    """Through the product's own services, as people would."""
    from collegium.imaging.connections import services as connections
    from collegium.kit.database import acting_as
    from collegium.kit.principals import Actor, Principal
    from collegium.research.pipeline.publishing import publish_project
    from collegium.trust.access.queries import actor_in
    from collegium.trust.access.services import found_space
    from collegium.trust.identity.queries import account_by_email
    from collegium.trust.identity.services import create_account
    from collegium.trust.tenancy import services as tenancy
    from collegium.trust.tenancy.models import SpaceKind
    from collegium_deid import load_recipe
    from collegium_testkit.seed import PASSWORD

    people: dict[str, Principal] = {}
    for email, name in (SECOND_READER, EDITOR, STRANGER):
        with acting_as(Principal.system()):
            account = create_account(actor=Actor.system(), email=email, full_name=name, password=PASSWORD)
        people[email] = account.principal
    with acting_as(Principal.system()):
        found = account_by_email("admin@demo.example")
        assert found
        admin, stranger = found.principal, people[STRANGER[0]]
        other = tenancy.create_organisation(
            actor=Actor.system(), name="Canaryforeign Organisation", officer=stranger
        )
    with acting_as(admin, [space_id]):
        actor = actor_in(admin, space_id)
        tenancy.add_member(actor=actor, principal=people[SECOND_READER[0]], role="Reader")
        tenancy.add_member(actor=actor, principal=people[EDITOR[0]], role="Editor")
        spare = connections.add_gateway(actor=actor, name="Canaryspare gateway")
        spare_code = connections.issue_code(actor=actor, gateway_id=spare.id).code
    with acting_as(stranger):
        officer = Actor(stranger, organisation_id=other.id, role="Officer")
        foreign = found_space(actor=officer, kind=SpaceKind.PROJECT, name=FOREIGN_PROJECT, founder=stranger)
    with acting_as(stranger, [foreign]):
        actor = actor_in(stranger, foreign)
        example = files("collegium.research").joinpath("examples/ct-lesion.yaml").read_text("utf-8")
        text = example.replace("CT lesion pilot", FOREIGN_PROJECT).replace("Example hospital", FOREIGN_SITE)
        publish_project(actor=actor, text=text)
        gateway = connections.add_gateway(actor=actor, name="Canaryforeign gateway")
        connections.add_channel(
            actor=actor,
            gateway_id=gateway.id,
            name="Canaryforeign channel",
            called_ae="FOREIGN",
            project_name=FOREIGN_PROJECT,
            site_code="01",
            site_name=FOREIGN_SITE,
            recipe_text=load_recipe("trial").text,
            quiet_time_s=5,
        )
        foreign_code = connections.issue_code(actor=actor, gateway_id=gateway.id).code
    return {"foreign_space": str(foreign), "spare_code": spare_code, "foreign_code": foreign_code}


if __name__ == "__main__":
    main()
