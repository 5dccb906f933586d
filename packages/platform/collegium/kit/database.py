"""The only way to content tables: `acting_as` opens the transaction and says who acts.

PostgreSQL's row-level security reads the two variables set here; without them a
connection of the app role sees no content row at all.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connections, transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from collegium.kit.principals import Principal

SECOND = "second"
"""Alias of the second connection: refusals and failed sign-ins, which must outlive a rollback."""

ALL_SPACES = ("*",)

TABLES_ARE_OLDER = 3
"""Exit code of a command that found the tables missing or of an older version, and did nothing."""


@contextmanager
def acting_as(
    principal: Principal, spaces: Iterable[UUID | str] = ALL_SPACES, *, alias: str = "default"
) -> Iterator[None]:
    """One transaction in which `principal` acts, narrowed to `spaces` of those it belongs to.

    The transaction rolls back when an exception leaves the block, never for a status.
    It does not nest: a service called inside runs in it.
    """
    narrowed = ",".join(str(space) for space in spaces)
    with transaction.atomic(using=alias, durable=True):
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "select set_config('app.principal', %s, true), set_config('app.spaces', %s, true)",
                [principal.text, narrowed],
            )
        yield


@contextmanager
def anonymous(*, alias: str = "default") -> Iterator[None]:
    """One transaction of nobody: tables without content only (sign-in, health, enrolment)."""
    with transaction.atomic(using=alias, durable=True):
        yield
