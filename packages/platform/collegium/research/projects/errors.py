"""What can go wrong with a project's set-up."""

from __future__ import annotations

from collegium.kit.errors import Conflict, Invalid


class NotPublished(Conflict):
    code = "research.project.not_published"
    message = "The project has no published version yet. Publish its file first."


class SubjectCodeInvalid(Invalid):
    code = "research.subject.code_invalid"
    message = "A subject code has 1 to 64 letters, digits and _ . - only."


class VersionMoved(Conflict):
    code = "research.project.version_moved"
    message = "Somebody published another version meanwhile. Look at it before you publish yours."
