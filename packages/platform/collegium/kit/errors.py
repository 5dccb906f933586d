"""The error tree every room's errors hang from. Edges map the five kinds to statuses, in one table."""

from __future__ import annotations

from typing import ClassVar


class CollegiumError(Exception):
    """Something a person can act on: a stable code, one message in plain words."""

    code: ClassVar[str] = "collegium.error"
    message: ClassVar[str] = "Something went wrong. Nothing was changed."

    def __init__(self, message: str | None = None) -> None:
        self.text = message or self.message
        super().__init__(self.text)


class NotFound(CollegiumError):
    """It does not exist, or the principal may not know that it does: the same outwards."""

    code = "collegium.not_found"
    message = "There is nothing here. It may have been moved, or you may not have access to it."


class Refused(CollegiumError):
    """The principal sees the thing but may not do this."""

    code = "collegium.refused"
    message = "Your role does not allow this. Ask an administrator of the project."


class Conflict(CollegiumError):
    """The state moved on since the caller looked."""

    code = "collegium.conflict"
    message = "This was changed meanwhile. Look at the newest state and try again."


class Invalid(CollegiumError):
    """The input cannot be accepted as it is."""

    code = "collegium.invalid"
    message = "This cannot be accepted as it is. Nothing was changed."


class Unavailable(CollegiumError):
    """Something we depend on is full, down or still starting; the same request may work later."""

    code = "collegium.unavailable"
    message = "This is not possible just now. Nothing was lost; try again in a moment."


class SignInNeeded(CollegiumError):
    """Nobody is signed in, or the token is not known."""

    code = "collegium.sign_in_needed"
    message = "Sign in to continue."


_STATUS: tuple[tuple[type[CollegiumError], int], ...] = (
    (SignInNeeded, 401),
    (NotFound, 404),
    (Refused, 403),
    (Conflict, 409),
    (Invalid, 422),
    (Unavailable, 503),
)


def status_of(error: CollegiumError) -> int:
    """The HTTP status of an error: the one table all edges use."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 400)
