"""Clean an invented exam with each channel's own recipe, here and in memory: nothing is sent or kept.

Loads codecs and text models, so it is for the command and not for the gateway's own process.
"""

from collections.abc import Sequence

from collegium_connect.doctor.findings import Finding, judge
from collegium_connect.self_test import SelfTestFailed, clean_invented
from collegium_deid import DeidError, parse_recipe
from collegium_wire import ChannelSetup


def dry_exam(channels: Sequence[ChannelSetup]) -> Finding:
    """Whether every open channel can clean one; it stops before the trial, which gets no subject by it."""
    failed = [setup.called_ae for setup in channels if not _is_cleaned(setup)]
    return judge(
        "Test exam, dry",
        is_good=not failed,
        found=f"not cleaned by the recipe of {', '.join(failed)}"
        if failed
        else f"cleaned by {len(channels)}",
        needed="each channel's recipe cleans an invented exam",
        advice="Look at the channel on the local page: its recipe may need a newer version of the gateway.",
    )


def _is_cleaned(setup: ChannelSetup) -> bool:
    try:
        clean_invented(parse_recipe(setup.recipe_yaml, setup.name))
    except (DeidError, SelfTestFailed):
        return False
    return True
