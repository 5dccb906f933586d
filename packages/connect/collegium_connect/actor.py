"""Who a change is written down for: a named person, the console of this machine, or the gateway itself."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from collegium_connect.errors import ConnectError


class Role(StrEnum):
    OPERATOR = "operator"
    """Watches, retries, releases and deletes what waits in quarantine."""
    ADMINISTRATOR = "administrator"
    """All of it, and the link table, people and looser recipes."""
    CONSOLE = "console"
    """Whoever may run commands as the gateway's own account on its machine."""
    GATEWAY = "gateway"
    """The gateway by itself."""


PEOPLE: Final = (Role.OPERATOR, Role.ADMINISTRATOR)
"""What a named person of the site can be."""


@dataclass(frozen=True)
class Actor:
    name: str
    role: Role


CONSOLE: Final = Actor("console", Role.CONSOLE)
GATEWAY: Final = Actor("gateway", Role.GATEWAY)


class NotAllowed(ConnectError):
    code = "connect.not_allowed"
    message = "Only an administrator of this gateway may do that."


def require_role(actor: Actor, *roles: Role) -> None:
    """Raise unless the actor has one of these roles.

    Raises:
        NotAllowed: it has none.
    """
    if actor.role not in roles:
        raise NotAllowed
