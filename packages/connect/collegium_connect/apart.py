"""Clean the second patient's objects of one exam into an exam of their own.

An exam that came with two patient ids has one study UID. Whoever splits it decides that these are two
exams; then the objects of the second patient get another new study UID, the same for all of them and
for what comes later, and everything else as ever: series, instances, frames of reference and dates.
"""

from dataclasses import replace
from typing import Final

from collegium_connect.channels import Channel
from collegium_deid import NeedMoreBytes, Rejected, local_id_of, parse_file, prepare

_STUDY_UID: Final = 0x0020000D
_HEAD_BYTES: Final = 128 << 10


def apart(channel: Channel, data: memoryview) -> Channel:
    """The channel as it treats an object that was split off its exam.

    Raises:
        Rejected: the object has no readable patient id, or the recipe keeps UIDs, so it cannot be split.
    """
    if channel.recipe.uids_kept:
        raise Rejected("connect.apart.uids_kept", "The recipe keeps study UIDs, so an exam cannot be split.")
    readable = bytes(prepare(data))
    try:
        head = parse_file(readable[:_HEAD_BYTES], complete=False)
    except NeedMoreBytes:
        head = parse_file(readable, complete=True)
    study_uid, who = head.raw(_STUDY_UID).strip(b"\0 "), local_id_of(head).encode()
    return replace(channel, key=channel.key.apart(study_uid, who))
