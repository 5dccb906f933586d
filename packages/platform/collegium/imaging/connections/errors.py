"""What can go wrong with gateways."""

from __future__ import annotations

from django.utils.translation import gettext as _

from collegium.kit.errors import Conflict, Invalid, NotFound, SignInNeeded


class GatewayUnknown(SignInNeeded):
    code = "connections.gateway.unknown"
    message = "This gateway is not known here, or its access was revoked. Enrol it again."


class GatewayNotFound(NotFound):
    code = "connections.gateway.not_found"


class GatewayNameTaken(Conflict):
    code = "connections.gateway.name_taken"
    message = "A gateway of this name exists already. Choose another name."


class CodeUsed(Conflict):
    code = "connections.enrolment.used"
    message = "This code was used already. Ask for a new one."


class CodeUnknown(NotFound):
    code = "connections.enrolment.unknown"
    message = "This code is not known or has expired. Ask for a new one."


class ChannelNotFound(NotFound):
    code = "connections.channel.not_found"
    message = "This gateway has no such channel, or it is switched off."


class ChannelTaken(Conflict):
    code = "connections.channel.taken"
    message = "This gateway already listens to that AE title."


class ChannelMoved(Conflict):
    code = "connections.channel.moved"
    message = "Somebody changed this channel meanwhile. Look at it again, then change it."


class ChannelInvalid(Invalid):
    """What the protocol could not say; carries the wire's own words."""

    code = "connections.channel.invalid"


class RecipeInvalid(Invalid):
    """Text that is no recipe; carries what is wrong with it."""

    code = "connections.channel.recipe"

    def __init__(self, what: str) -> None:
        super().__init__(_("The recipe cannot be used. %(what)s") % {"what": what})


class VersionInvalid(Invalid):
    code = "connections.gateway.version"
    message = "Write a version of the gateway such as 1.2.3, or leave it empty for the newest."


class ReasonMissing(Invalid):
    code = "connections.reason.missing"
    message = "Say why, for the trail."
