"""Who acts: a person, gateway, SFTP key, token, tool, public link, or a job on behalf of one.

The text form never changes; it stands in audit entries and in the row-security
policies: `person:<uuid>`, `job:<name>|person:<uuid>`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from typing import Self

_TEXT = re.compile(
    r"(?:job:(?P<job>[a-z_.]{1,64})\|)?(?P<kind>person|gateway|sftp|token|tool|link|system):(?P<id>[0-9a-f-]{36})"
)
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Principal:
    """Someone or something that acts, and the job that acts for it, if any."""

    kind: str
    id: UUID
    job: str = ""

    @classmethod
    def person(cls, id_: UUID) -> Self:
        return cls("person", id_)

    @classmethod
    def gateway(cls, id_: UUID) -> Self:
        return cls("gateway", id_)

    @classmethod
    def sftp(cls, id_: UUID) -> Self:
        return cls("sftp", id_)

    @classmethod
    def token(cls, id_: UUID) -> Self:
        return cls("token", id_)

    @classmethod
    def tool(cls, id_: UUID) -> Self:
        return cls("tool", id_)

    @classmethod
    def link(cls, id_: UUID) -> Self:
        return cls("link", id_)

    @classmethod
    def system(cls) -> Self:
        """The installation itself: a command at its console. It is a member of no space."""
        return cls("system", _NOBODY)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form.

        Raises:
            ValueError: not a principal.
        """
        found = _TEXT.fullmatch(text)
        if not found:
            raise ValueError("not a principal")
        return cls(found["kind"], UUID(found["id"]), found["job"] or "")

    def as_job(self, name: str) -> Principal:
        """The job `name` acting on behalf of this principal."""
        return Principal(self.kind, self.id, name)

    @property
    def behalf(self) -> Principal:
        """Whose rights count: the principal itself, or the one a job acts for."""
        return Principal(self.kind, self.id) if self.job else self

    @property
    def text(self) -> str:
        own = f"{self.kind}:{self.id}"
        return f"job:{self.job}|{own}" if self.job else own

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Actor:
    """A principal where it acts: the space or organisation, the role it has there, what that role may."""

    principal: Principal
    space_id: UUID | None = None
    organisation_id: UUID | None = None
    role: str = ""
    permissions: frozenset[str] = frozenset()

    @property
    def space(self) -> UUID:
        """The space the actor is in; services of spaces are never called without one."""
        if self.space_id is None:
            raise LookupError("this actor is in no space")
        return self.space_id

    @property
    def chain(self) -> str:
        """The audit chain this actor's acts belong to; the text never changes its form."""
        if self.space_id:
            return f"space:{self.space_id}"
        return f"organisation:{self.organisation_id}" if self.organisation_id else "installation"

    def as_job(self, name: str) -> Actor:
        return Actor(
            self.principal.as_job(name), self.space_id, self.organisation_id, self.role, self.permissions
        )

    @classmethod
    def system(cls) -> Actor:
        """A command at the installation's console."""
        return cls(Principal.system(), role="Operator")
