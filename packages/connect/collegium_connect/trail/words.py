"""What the entries of the trail say to people; their codes stay what is chained, sent and searched for."""

from typing import Final

_WORDS: Final = {
    "channels.channel.withdrawn": "The server withdrew a channel",
    "channels.configuration.confirmed": "Confirmed a channel's configuration",
    "channels.configuration.received": "The server sent a channel's configuration",
    "journal.delivered.forgotten": "Deleted what was kept of a delivery",
    "links.link.removed": "Removed a line of the link table",
    "links.list.exported": "Exported the link table",
    "links.list.imported": "Imported an allocation list",
    "people.password.changed": "Changed a password",
    "people.person.added": "Added a person",
    "people.person.closed": "Closed an account",
    "people.person.locked": "Account locked after wrong passwords",
    "people.person.signed_in": "Signed in",
    "people.person.unlocked": "Unlocked an account",
    "people.sign_in.failed": "Wrong password",
    "pull.list.taken": "Took a list of exams to pull",
    "quarantine.decision.taken_back": "Took a decision on two patient ids back",
    "quarantine.exam.confirmed": "Said whose exam it is",
    "quarantine.exam.let_go": "Let an exam go that does not meet the requirements",
    "quarantine.exam.split": "Split an exam into two",
    "quarantine.file.tried": "Tried the cleaning of a file",
    "quarantine.object.deleted": "Gave an object up",
    "quarantine.object.released": "Released an object",
    "quarantine.object.seen": "Looked at an object",
    "quarantine.release.taken_back": "Took a release back",
    "send.exam.retried": "Had an exam sent again at once",
    "updates.pin.received": "The server pinned a version",
}


def words_of(action: str) -> str:
    """An action in words; itself where another version wrote it."""
    return _WORDS.get(action, action)
