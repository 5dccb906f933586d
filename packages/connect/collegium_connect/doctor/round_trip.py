"""Send one invented exam the whole way: over the door, cleaned, delivered, receipted."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from collegium_connect.clock import Clock
from collegium_connect.doctor.findings import Finding, Verdict, judge
from collegium_connect.invented import invented_object
from collegium_connect.journal import channels, overview
from collegium_connect.journal.database import Journal
from collegium_connect.push import CannotPush
from collegium_connect.push_here import push_here
from collegium_connect.settings import Settings

WAIT_S: Final = 300.0
_STEP_S: Final = 0.5


def round_trip(
    settings: Settings,
    journal: Journal,
    called_ae: str,
    clock: Clock,
    pause: Callable[[float], None] = time.sleep,
) -> tuple[Finding, ...]:
    """Hand an invented exam to a channel of the running gateway and wait for its receipt.

    It is always the same invented patient, so a project gets one subject by it, whatever the count of tries.
    """
    began = clock()
    taken = _taken(settings, called_ae)
    if taken.verdict is not Verdict.GOOD:
        return (taken,)
    for _ in range(int(WAIT_S / _STEP_S)):
        with journal.look() as db:
            ids = [
                item.setup.channel_id for item in channels.channels(db) if item.setup.called_ae == called_ae
            ]
            last = [overview.channel_counts(db, channel_id).last_success_at for channel_id in ids]
        if any(at is not None and at >= began for at in last):
            return taken, _delivered((clock() - began).total_seconds())
        pause(_STEP_S)
    return taken, _delivered(None)


def _taken(settings: Settings, called_ae: str) -> Finding:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "invented.dcm").write_bytes(invented_object())
        try:
            result, why = push_here(settings, Path(folder), called_ae), ""
        except CannotPush as error:
            result, why = None, str(error)
    is_taken = result is not None and result.taken == 1
    return judge(
        "Test exam",
        is_good=is_taken,
        found="taken" if is_taken else why or "refused",
        needed=f"taken by {called_ae}",
        advice="See the log's association.refused and object.refused.",
    )


def _delivered(seconds: float | None) -> Finding:
    return judge(
        "Round trip",
        is_good=seconds is not None,
        found="no receipt" if seconds is None else f"receipt after {seconds:.0f} s, quiet time included",
        needed=f"a receipt within {WAIT_S:.0f} s",
        advice="Look at the local page: the exam waits, is held or is tried again, with its reason.",
    )
