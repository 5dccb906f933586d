"""Copy a piece of one open file into another, by the kernel where it can, and write whole buffers.

Memory: 1 MiB where no kernel helps.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from collegium_deid.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

CHUNK: Final = 1024 * 1024
# What a kernel or file system says when it cannot copy between these two files; another way can.
_NOT_THIS_WAY: Final = frozenset(
    {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.ENOTSOCK}
)


def copy_range(file: BinaryIO, out: BinaryIO, start: int, count: int) -> None:
    """Append `count` bytes of `file`, from `start` on, to what was written to `out`.

    Raises:
        Rejected: there are fewer.
    """
    for way in (_copy_file_range, _sendfile):
        copied = way(file.fileno(), out.fileno(), start, count)
        start, count = start + copied, count - copied
        if not count:
            return
    file.seek(start)
    while count:
        chunk = file.read(min(CHUNK, count))
        if not chunk:
            raise Rejected("deid.truncated", "The file became shorter while it was read.")
        write_all(out, chunk)
        count -= len(chunk)


def _copy_file_range(source: int, target: int, start: int, count: int) -> int:
    """Bytes copied; fewer than `count` where this way does not lead further. Behind: the target's position."""
    if not hasattr(os, "copy_file_range"):
        return 0
    return _until_done(lambda at, left: os.copy_file_range(source, target, left, offset_src=at), start, count)


def _sendfile(source: int, target: int, start: int, count: int) -> int:
    if not hasattr(os, "sendfile"):
        return 0
    return _until_done(lambda at, left: os.sendfile(target, source, at, left), start, count)


def _until_done(step: Callable[[int, int], int], start: int, count: int) -> int:
    copied = 0
    while copied < count:
        try:
            done = step(start + copied, count - copied)
        except OSError as error:
            if error.errno not in _NOT_THIS_WAY:
                raise
            break
        if not done:
            break
        copied += done
    return copied


def write_all(out: BinaryIO, data: bytes | memoryview) -> None:
    """A raw file may take less than it is given."""
    left = memoryview(data)
    while left:
        left = left[out.write(left) :]
