"""What can go wrong with organisations, spaces and members."""

from __future__ import annotations

from collegium.kit.errors import Conflict, Invalid, NotFound, Refused


class NameTaken(Conflict):
    code = "tenancy.name_taken"
    message = "This name is in use already. Choose another one."


class AlreadyMember(Conflict):
    code = "tenancy.membership.exists"
    message = "This person is a member already. Change the role instead."


class NotAMember(NotFound):
    code = "tenancy.membership.not_found"


class LastAdministrator(Refused):
    code = "tenancy.membership.last_administrator"
    message = "A project needs an administrator. Make someone else one first."


class NotAnOfficer(Refused):
    code = "tenancy.organisation.not_an_officer"
    message = "Only an officer of the organisation can do this."


class RoleUnknown(Invalid):
    code = "tenancy.role.unknown"
    message = "The project has no such role."


class OwnRole(Refused):
    code = "tenancy.membership.own_role"
    message = "Nobody changes the own role. Ask another administrator."
