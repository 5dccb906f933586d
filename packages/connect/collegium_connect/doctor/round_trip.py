"""Send one invented exam the whole way: over the door, cleaned, delivered, proven by a receipt, forgotten.

It is registered first, by its patient, who is nobody, and by the digest that it will have when it leaves. Only
that leaves as a test; the server checks that its picture shows nothing, and keeps no more than when it came.
"""

import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from collegium_connect import deidentify
from collegium_connect.channels import Channel, Channels
from collegium_connect.clock import Clock, to_ms
from collegium_connect.doctor.findings import Finding, Verdict, judge
from collegium_connect.folders import receive_port
from collegium_connect.invented import invented_object
from collegium_connect.journal import channels as stored
from collegium_connect.journal import test_exams
from collegium_connect.journal.database import Journal
from collegium_connect.journal.test_exams import TestExam
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.links.table import mac_of
from collegium_connect.notes import product_of
from collegium_connect.push import CannotPush
from collegium_connect.push_here import push_here
from collegium_connect.quarantine.view import Verdict as Patient
from collegium_connect.send.window import is_open
from collegium_connect.settings import Settings
from collegium_deid import DeidError
from collegium_wire import NEWEST

WAIT_S: Final = 120.0
_STEP_S: Final = 0.5
_CT: Final = "1.2.840.10008.5.1.4.1.1.2"
_HERE: Final = "127.0.0.1"


class CannotTest(Exception):
    """Nothing is wrong, and yet no test exam can be sent; in words for the report."""


def round_trip(
    settings: Settings,
    journal: Journal,
    clock: Clock,
    *,
    called_ae: str = "",
    pause: Callable[[float], None] = time.sleep,
) -> tuple[Finding, ...]:
    """Hand an invented exam to a channel of the running gateway and wait for its receipt.

    Args:
        settings: of this gateway.
        journal: of the same.
        clock: the time.
        called_ae: the channel; without it the first that is open.
        pause: waits so many seconds.
    """
    needed = f"taken by {called_ae or 'an open channel'}"
    try:
        channel = _channel(settings, journal, called_ae, clock)
        test, data = _register(settings, journal, channel, clock)
    except CannotTest as why:
        # Whoever asked for this very channel gets an answer about it.
        verdict = Verdict.SHORT if called_ae else Verdict.UNKNOWN
        return (Finding("Test exam", verdict, str(why), needed, "Send one exam from the PACS instead."),)
    began = clock()
    taken = _taken(settings, channel.setup.called_ae, data)
    if taken.verdict is not Verdict.GOOD:
        return (taken,)
    for _ in range(int(WAIT_S / _STEP_S)):
        with journal.look() as db:
            now = test_exams.standing(db, test.code)
        if now.is_over:
            return taken, _ended((clock() - began).total_seconds(), now.problem)
        pause(_STEP_S)
    return taken, _ended(None, "no receipt")


def _channel(settings: Settings, journal: Journal, called_ae: str, clock: Clock) -> Channel:
    """The channel to try.

    Raises:
        CannotTest: there is none that would send a test now.
    """
    if receive_port(settings) is None:
        raise CannotTest("the gateway does not run")
    if settings.receive.title_at(_HERE) is None:
        raise CannotTest("this machine is no listed caller")
    with journal.look() as db:
        protocol, is_shared = stored.server_protocol(db), stored.shared_since_ms(db) is not None
    if protocol < NEWEST:
        raise CannotTest(
            "the server is of before and does not know test exams; it would make a subject"
            if protocol
            else "the server was not heard yet"
        )
    if is_shared:
        raise CannotTest("another gateway uses this enrolment, so nothing is sent")
    found = [
        one
        for one in Channels(journal, KeyFolder(settings.gateway.data_dir / "keys")).active
        if called_ae in {"", one.setup.called_ae}
    ]
    if not found:
        raise CannotTest(f"there is no open channel {called_ae}".strip())
    setup = found[0].setup
    if setup.storage_classes and _CT not in setup.storage_classes:
        raise CannotTest(f"{setup.called_ae} takes no CT pictures")
    if not is_open(setup.send_window, clock().astimezone()):
        raise CannotTest(f"{setup.called_ae} sends at {setup.send_window} only")
    return found[0]


def _register(settings: Settings, journal: Journal, channel: Channel, clock: Clock) -> tuple[TestExam, bytes]:
    """Invent a picture and write down what it will be when it leaves.

    Raises:
        CannotTest: the channel's recipe takes no such picture.
    """
    local_id, code = f"SELFTEST-{secrets.token_hex(16)}", f"TEST-{secrets.token_hex(4)}"
    data = invented_object(local_id)
    try:
        done = deidentify.finish(channel, memoryview(data), Patient(code))
    except DeidError as error:
        raise CannotTest(
            f"the recipe of {channel.setup.called_ae} takes no such picture ({error.code})"
        ) from error
    keys = load_secrets(KeyFolder(settings.gateway.data_dir / "keys"))
    test = TestExam(
        code=code,
        channel_id=channel.channel_id,
        scope_id=channel.scope_id,
        local_id_mac=mac_of(keys, channel.scope_id, local_id),
        sha256=product_of(channel, done).sha256,
        at_ms=to_ms(clock()),
    )
    with journal.change() as db:
        test_exams.add(db, test)
    return test, data


def _taken(settings: Settings, called_ae: str, data: bytes) -> Finding:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "invented.dcm").write_bytes(data)
        try:
            result, why = push_here(settings, Path(folder), called_ae), ""
        except CannotPush as error:
            result, why = None, str(error)
    is_taken = result is not None and result.taken == 1
    return judge(
        "Test exam",
        is_good=is_taken,
        found=f"taken by {called_ae}" if is_taken else why or "refused",
        needed=f"taken by {called_ae}",
        advice="See the log's association.refused and object.refused.",
    )


def _ended(seconds: float | None, problem: str) -> Finding:
    return judge(
        "Round trip",
        is_good=seconds is not None and not problem,
        found=problem or f"proven by a receipt after {seconds:.1f} s; the server keeps nothing of it",
        needed=f"a receipt within {WAIT_S:.0f} s",
        advice="Look at the local page: the exam waits, is set aside or is tried again, with its reason.",
    )
