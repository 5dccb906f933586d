"""Bring the seeded roles of every space to this version: the database owner's act, at each start and migration."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from collegium.kit.database import TABLES_ARE_OLDER, acting_as
from collegium.kit.principals import Actor, Principal
from collegium.trust.access.services import reconcile_roles
from collegium.trust.tenancy.queries import every_space


class Command(BaseCommand):
    help = f"{__doc__} Does nothing and ends with {TABLES_ARE_OLDER} where tables are missing or older."

    def handle(self, *_args: Any, **_options: Any) -> None:  # Any: Django's signature
        migrations = MigrationExecutor(connection)
        if migrations.migration_plan(migrations.loader.graph.leaf_nodes()):
            sys.exit(TABLES_ARE_OLDER)
        system, changed = Principal.system(), 0
        with acting_as(system):
            spaces = every_space()
        for space in spaces:  # one transaction writes one audit chain
            with acting_as(system):
                here = Actor(system, space.id, space.organisation_id, Actor.system().role)
                changed += reconcile_roles(actor=here)
        if changed:
            self.stdout.write(f"{changed} roles of this installation have what this version gives them.")
