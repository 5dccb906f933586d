"""What can go wrong with an account."""

from __future__ import annotations

from collegium.kit.errors import Conflict, Refused


class WrongPassword(Refused):
    code = "identity.password.wrong"
    message = "That is not your password. Nothing was signed or changed."


class AccountLocked(Refused):
    code = "identity.account.locked"
    message = "Too many failed attempts. The account is locked for some minutes; nothing was changed."


class AddressTaken(Conflict):
    code = "identity.account.address_taken"
    message = "There is an account with this e-mail address already."
