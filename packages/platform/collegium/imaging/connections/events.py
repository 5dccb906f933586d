"""What others may react to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID  # noqa: TC003 - `kit.events` reads the hints at run time

from collegium.kit.events import Event


@dataclass(frozen=True, slots=True)
class GatewayAlarmRaised(Event):
    """Something at a gateway that people of the site and of the project should look at."""

    name: ClassVar[str] = "connections.gateway_alarm_raised"

    space_id: UUID
    alarm_id: UUID


@dataclass(frozen=True, slots=True)
class GatewayAlarmEnded(Event):
    """It is over: what was told about it waits no more."""

    name: ClassVar[str] = "connections.gateway_alarm_ended"

    space_id: UUID
    alarm_id: UUID
