"""What tests begin with, made once a worker: each test gets a copy of the database in which it was made.

Within a copy a test commits, locks and signs in as in the worker's own database, and what it changes ends with it.
Worth it for what takes longer to make than a database to copy (a tenth of a second): a project that is being read, say.
"""

from __future__ import annotations

import inspect
import os
from copy import deepcopy
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from django.db import connections
from psycopg import conninfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium_testkit.database import TestServer

ADDRESSES = ("COLLEGIUM_DATABASE_URL", "COLLEGIUM_OWNER_DATABASE_URL")
"""Environment: the database as the app role and as the owner, for those who ask it past Django."""

P = ParamSpec("P")
T = TypeVar("T")


class Beginnings:
    """Those of one worker."""

    def __init__(self, server: TestServer) -> None:
        self._server = server
        self._own = tuple(os.environ[name] for name in ADDRESSES)
        self._made: dict[object, tuple[str, object]] = {}
        self._copy = ""

    def begin(self, make: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `make` returned, in a database that holds what it made and nothing of any other test.

        Before anything else that the test makes: until `end`, the worker's own database is out of sight.
        """
        told = inspect.signature(make).bind(*args, **kwargs)
        told.apply_defaults()
        key = (make, tuple(told.arguments.items()))
        if key not in self._made:
            database = self._turn_to_clone()
            self._made[key] = database, make(*args, **kwargs)
        database, made = self._made[key]
        self._copy = self._turn_to_clone(database)
        return cast("T", deepcopy(made))

    def end(self) -> None:
        """Back to the worker's own database; the copy is dropped."""
        _turn_to(self._own)
        if self._copy:
            self._server.drop(self._copy)
            self._copy = ""

    def _turn_to_clone(self, *of: str) -> str:
        _turn_to(self._own)  # nobody may be in a database that is copied
        addresses = self._server.clone(*of)
        _turn_to(addresses)
        return _name(addresses)


def _turn_to(addresses: tuple[str, ...]) -> None:
    """Let Django and whoever reads the environment speak to another database."""
    for connection in connections.all():
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's alone
        connection.settings_dict["NAME"] = _name(addresses)  # one dictionary for all threads
    os.environ.update(zip(ADDRESSES, addresses, strict=True))


def _name(addresses: tuple[str, ...]) -> str:
    return str(conninfo.conninfo_to_dict(addresses[0])["dbname"])
