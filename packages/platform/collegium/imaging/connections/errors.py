"""What can go wrong with gateways."""

from __future__ import annotations

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


class RecipeInvalid(Invalid):
    code = "connections.channel.recipe"
    message = "The recipe of the channel cannot be read."
