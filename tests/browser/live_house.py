"""A committee's project in a running installation, with an exam that has just arrived; printed as JSON.

python -m tests.browser.live_house
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Make it and print who can sign in."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collegium.settings.django")
    import django

    django.setup()
    from collegium import wiring

    wiring.connect()
    from collegium_testkit.committee import Committee
    from collegium_testkit.world import PASSWORD, new_world

    world = new_world()
    committee = Committee(world)
    committee.gather()
    sponsor = world.join("Sponsor viewer")
    for number in range(1, int(sys.argv[1]) + 1 if len(sys.argv) > 1 else 2):
        committee.arrive(f"S-{number:03}", site="01" if number % 3 else "02")
    emails = {name: person.email for name, person in committee.people.items()}
    emails |= {"administrator": world.administrator.email, "sponsor": sponsor.email}
    sys.stdout.write(json.dumps({"space": str(world.space_id), "password": PASSWORD, **emails}))


if __name__ == "__main__":
    main()
