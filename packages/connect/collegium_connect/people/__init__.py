"""The site's own people who may act at this gateway: made here, known nowhere else.

`People` makes accounts and checks passwords. Who a change is written down for is an `actor.Actor`.
"""

from collegium_connect.people.errors import (
    NameTaken,
    PasswordWeak,
    PeopleError,
    PersonUnknown,
    SignInLocked,
    SignInRefused,
)
from collegium_connect.people.people import People, Person

__all__ = [
    "NameTaken",
    "PasswordWeak",
    "People",
    "PeopleError",
    "Person",
    "PersonUnknown",
    "SignInLocked",
    "SignInRefused",
]
