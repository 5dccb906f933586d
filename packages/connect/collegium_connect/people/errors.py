"""What can go wrong with people and passwords; no message says whether a name exists."""

from collegium_connect.errors import ConnectError


class PeopleError(ConnectError):
    code = "connect.people.error"
    message = "The account cannot be used."


class SignInRefused(PeopleError):
    code = "connect.people.refused"
    message = "Name or password is wrong."


class SignInLocked(PeopleError):
    code = "connect.people.locked"
    message = "Too many failed attempts. Wait a quarter of an hour, or ask an administrator to unlock it."


class NameTaken(PeopleError):
    code = "connect.people.name_taken"
    message = "There is somebody of this name already. Choose another."


class PersonUnknown(PeopleError):
    code = "connect.people.unknown"
    message = "There is nobody of this name."


class PasswordWeak(PeopleError):
    code = "connect.people.password_weak"
    message = "A password has at least 12 characters, 1024 at most, and is not the name."
