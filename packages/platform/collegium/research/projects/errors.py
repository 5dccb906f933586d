"""What can go wrong with a project's set-up."""

from __future__ import annotations

from collegium.kit.errors import Conflict, Invalid, NotFound, Refused


class NotPublished(Conflict):
    code = "research.project.not_published"
    message = "The project has no published version yet. Publish its file first."


class SubjectCodeInvalid(Invalid):
    code = "research.subject.code_invalid"
    message = "A subject code has 1 to 64 letters, digits and _ . - only."


class VersionMoved(Conflict):
    code = "research.project.version_moved"
    message = "Somebody published another version meanwhile. Look at it before you publish yours."


class StillInUse(Conflict):
    """`parts` are sentences: each names one thing that tasks rest on, and what to do."""

    code = "research.project.still_in_use"
    message = "Nothing was published. Tasks and signed answers rest on parts that this file has no longer."

    def __init__(self, parts: list[str]) -> None:
        super().__init__()
        self.parts = parts
        self.details = {"parts": parts}


class SiteUnknown(NotFound):
    code = "research.site.unknown"
    message = "The project has no such site. Sites stand in the project file."


class NotOfTheProject(Invalid):
    code = "research.person.not_a_member"
    message = "This person is not a member of the project."


class ReasonNeeded(Invalid):
    code = "research.reason.missing"
    message = "Say why, in up to 400 characters. It stays in the history."


class ConflictAboutNothing(Invalid):
    code = "research.conflict.about_nothing"
    message = "A conflict is about one site or one subject."


class NoSuchAccount(Invalid):
    code = "research.person.no_account"
    message = (
        "Nobody has an account with this address. Whoever runs the installation makes one with "
        "“collegium account add”; then add the person here."
    )


class RoleNotForPeople(Invalid):
    code = "research.person.role_not_for_people"
    message = "This role is not for people. Choose another one."


class NothingToUnblind(Invalid):
    code = "research.unblinding.nothing"
    message = "This task counts no more, or nobody has it. There is nobody to unblind."


class AlreadyAsked(Conflict):
    code = "research.unblinding.already_asked"
    message = "Somebody asked for this already. Wait for the decision, or withdraw the request first."


class AlreadyUnblinded(Conflict):
    code = "research.unblinding.already"
    message = "This is unblinded already."


class AlreadyDecided(Conflict):
    code = "research.unblinding.decided"
    message = "This request was decided or withdrawn meanwhile. Load the page again."


class OwnTask(Refused):
    code = "research.unblinding.own_task"
    message = "Nobody asks for or decides about the unblinding of a task of their own."


class OwnRequest(Refused):
    code = "research.unblinding.own_request"
    message = "You asked for this. Somebody else who may decide has to approve or refuse it."


class NotYourRequest(Refused):
    code = "research.unblinding.not_yours"
    message = "Only the person who asked can withdraw a request. You may refuse it."
