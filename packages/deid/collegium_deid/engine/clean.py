"""Clean one object: the front door of this package.

`clean_object` is a pure function of header, recipe, key and subject code: no clock, no files, no
network; the same input gives the same bytes everywhere. Pixel bytes are never touched: they go on
from `Cleaned.pixel_start` through `passage.PixelPassage`, which also drops what lies behind them.
"""

from __future__ import annotations

import functools
import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from collegium_deid.dictionary import show
from collegium_deid.engine import person, values
from collegium_deid.engine.decide import Case, new_uid
from collegium_deid.engine.elements import FileHead, parse_file
from collegium_deid.engine.pixelplan import PixelPlan, pixel_plan
from collegium_deid.engine.recent import Recent
from collegium_deid.engine.rewrite import Rewriter
from collegium_deid.engine.stencil import LongWay, Stencils, where_kept
from collegium_deid.errors import DeidError, Rejected
from collegium_deid.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium_deid.engine.stencil import Filled, Stencil
    from collegium_deid.engine.text import KnownTokens
    from collegium_deid.keys import SiteKey
    from collegium_deid.rules.recipe import Recipe

# Ours: UUIDs as UIDs, so they need no registered root.
IMPLEMENTATION_CLASS_UID: Final = "2.25.302514236105193843711836372610184371026"
IMPLEMENTATION_VERSION: Final = "COLLEGIUM_DEID_1"

# LO allows more; an identity that only needs these is safe in file names, tables and every character set.
_SUBJECT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?")
_REWRITERS: Final = 32
_DIRECTORY: Final = 0x00041220
_PREAMBLE: Final = bytes(128) + b"DICM"


@dataclass(frozen=True)
class Cleaned:
    """A cleaned header, and where the untouched bytes go on."""

    head: bytes = field(repr=False)
    """New preamble, group 2 and data set up to the pixel data."""
    pixel_start: int
    """Offset in the input of the pixel data element; the input's length when there is none."""
    has_pixels: bool
    pixel_bytes: int | None
    """How long the uncompressed pixels are as the header says it, with padding; None where it does not say."""
    explicit: bool
    report: Report
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    plan: PixelPlan
    """How the pixels must be looked at before they may follow this header."""
    subject_code: str
    """What stands for name and id."""
    tokens: KnownTokens = field(repr=False)
    """What the header says about persons, for whoever reads the pixels; it never leaves the process."""
    local_id: str = field(repr=False)
    """The original PatientID, for the site's link table only: never logged, never sent."""


def clean_object(
    head: bytes,
    *,
    recipe: Recipe,
    key: SiteKey,
    subject: str | Callable[[str], str],
    complete: bool = False,
) -> Cleaned:
    """De-identify the header of one Part 10 object.

    Args:
        head: the file from its preamble at least to the start of its pixel data.
        recipe: what shall happen.
        key: from which UIDs and the date offset follow.
        subject: the code that takes the place of name and id; or a function that finds it for the
            local id (a link table), called once the header is known to be acceptable.
        complete: True when `head` is the whole file; an object without pixel data needs it, because
            otherwise the end of the header cannot be known.

    Raises:
        NeedMoreBytes: `head` ends before the header does.
        Rejected: the object cannot be cleaned with certainty; the message holds no value.
    """
    began = time.perf_counter()
    where = where_kept(head, recipe, key)
    stencil = _stencils.find(where, recipe)
    filled = None if stencil is None else stencil.fill(head)
    if stencil is not None and filled is not None:
        subject = _code(subject, stencil.made.local_id)
        if subject == stencil.made.subject_code:
            return _as_before(stencil, filled, began)
    parsed = parse_file(head, complete=complete)
    if _DIRECTORY in parsed.elements:
        raise Rejected(
            "deid.dicomdir", f"{show(_DIRECTORY)} makes this the index of a medium; clean its files."
        )
    plan = pixel_plan(parsed, recipe)
    code = _code(subject, local_id_of(parsed))
    require_subject_code(code)
    rewriter, local_id = _rewriter(parsed, recipe, key, code)
    uids = [new_uid(rewriter.case, tag, parsed.raw(tag)) for tag in (0x00080018, 0x0020000D, 0x0020000E)]
    pieces, codes = rewriter.top_level(head, parsed.elements.values(), _inserts(recipe, code, parsed))
    sop_class = parsed.text(0x00080016)
    meta = _meta(sop_class, uids[0], parsed.transfer_syntax_uid)
    report = Report(
        recipe.name, recipe.version, recipe.digest, Report.count(codes), time.perf_counter() - began
    )
    made = Cleaned(
        head=b"".join((meta, *pieces)),
        pixel_start=len(head) if parsed.pixel_start is None else parsed.pixel_start,
        has_pixels=parsed.pixel_start is not None,
        pixel_bytes=_pixel_bytes(parsed),
        explicit=parsed.explicit,
        report=report,
        study_uid=uids[1],
        series_uid=uids[2],
        sop_instance_uid=uids[0],
        sop_class_uid=sop_class,
        transfer_syntax_uid=parsed.transfer_syntax_uid,
        plan=plan,
        subject_code=code,
        tokens=rewriter.case.known.every,
        local_id=local_id,
    )
    _stencils.learn(where, LongWay(recipe, parsed, rewriter, codes, made))
    return made


def _code(subject: str | Callable[[str], str], local_id: str) -> str:
    return subject if isinstance(subject, str) else subject(local_id)


def _as_before(stencil: Stencil, filled: Filled, began: float) -> Cleaned:
    made, uid = stencil.made, filled.sop_instance_uid
    meta = _meta(made.sop_class_uid, uid, made.transfer_syntax_uid)
    counts = Report.count(filled.codes)
    return replace(
        made,
        head=b"".join((meta, *filled.pieces)),
        pixel_start=filled.pixel_start,
        report=replace(made.report, counts=counts, seconds=time.perf_counter() - began),
        sop_instance_uid=uid,
    )


def _pixel_bytes(head: FileHead) -> int | None:
    rows, columns, samples, bits = (
        int.from_bytes(head.raw(tag)[:2], "little")
        for tag in (0x00280010, 0x00280011, 0x00280002, 0x00280100)
    )
    frames = head.text(0x00280008) or "1"
    whole = rows * columns * (samples or 1) * bits * (int(frames) if frames.isdecimal() else 0)
    return (whole + 15) // 16 * 2 if whole else None


def require_subject_code(code: str) -> None:
    """Raise unless a code may take the place of name and id.

    Raises:
        DeidError: it may not.
    """
    if _SUBJECT.fullmatch(code) is None:
        raise DeidError("deid.subject", "A subject code has letters, digits, blank, dot, hyphen, underscore.")


def local_id_of(head: FileHead) -> str:
    """The original PatientID of a walked header, as the site uses it; for its link table only.

    Raises:
        Rejected: there is none, or it is not text of the object's character set.
    """
    return person.local_id(head, person.codecs_of(head))


_recent: Final[Recent[tuple[object, ...], tuple[Rewriter, str]]] = Recent(_REWRITERS)
"""The rewriters of the last cases, so that the slices of a series share one memory."""
_stencils: Final = Stencils()


def _rewriter(head: FileHead, recipe: Recipe, key: SiteKey, subject: str) -> tuple[Rewriter, str]:
    sop_class = head.text(0x00080016)
    where = (recipe.digest, key, subject, sop_class, head.explicit, person.signature(head))
    found = _recent.get(where)
    if found is not None:
        return found
    codecs = person.codecs_of(head)
    local_id = person.local_id(head, codecs)
    days = key.offset_days(local_id, recipe.shift_days) if recipe.shift_days else 0
    case = Case(recipe, key, subject.encode(), person.known(head, codecs), days, codecs)
    made = (Rewriter(case, recipe.rules_for(sop_class), explicit=head.explicit), local_id)
    _recent.put(where, made)
    return made


def _meta(sop_class: str, sop_instance: str, syntax: str) -> bytes:
    """A new preamble and group 2: nothing of the old one but class and syntax (PS3.10 section 7.1)."""
    before, after = _meta_around(sop_class, syntax)
    body = b"".join((before, values.element(0x00020003, b"UI", sop_instance.encode(), explicit=True), after))
    length = values.element(0x00020000, b"UL", len(body).to_bytes(4, "little"), explicit=True)
    return b"".join((_PREAMBLE, length, body))


@functools.lru_cache(maxsize=64)
def _meta_around(sop_class: str, syntax: str) -> tuple[bytes, bytes]:
    """What stands before and behind the SOP instance UID in group 2."""
    rows = (
        (0x00020001, b"OB", b"\0\1"),
        (0x00020002, b"UI", sop_class.encode()),
        (0x00020010, b"UI", syntax.encode()),
        (0x00020012, b"UI", IMPLEMENTATION_CLASS_UID.encode()),
        (0x00020013, b"SH", IMPLEMENTATION_VERSION.encode()),
    )
    made = [values.element(tag, vr, value, explicit=True) for tag, vr, value in rows]
    return b"".join(made[:2]), b"".join(made[2:])


_inserted: Final[dict[tuple[str, str, bool], list[tuple[int, bytes]]]] = {}


def _inserts(recipe: Recipe, subject: str, head: FileHead) -> list[tuple[int, bytes]]:
    """The elements every output carries: subject, clinical trial subject and method (PS3.15 section E.1)."""
    where = (recipe.digest, subject, head.explicit)
    found = _inserted.get(where)
    if found is None:
        if len(_inserted) > 1000:
            _inserted.clear()
        found = _inserted[where] = _make_inserts(recipe, subject.encode(), explicit=head.explicit)
    return found


def _make_inserts(recipe: Recipe, subject: bytes, *, explicit: bool) -> list[tuple[int, bytes]]:
    codes = b"".join(
        values.item(
            b"".join(
                values.element(tag, vr, text.encode(), explicit=explicit)
                for tag, vr, text in (
                    (0x00080100, b"SH", option.code),
                    (0x00080102, b"SH", "DCM"),
                    (0x00080104, b"LO", option.meaning),
                )
            )
        )
        for option in recipe.method_codes
    )
    rows = (
        (0x00100010, b"PN", subject),
        (0x00100020, b"LO", subject),
        # The clinical trial subject module needs a sponsor, a protocol and a site; the server knows them.
        (0x00120010, b"LO", values.DUMMY_TEXT),
        (0x00120020, b"LO", values.DUMMY_TEXT),
        (0x00120021, b"LO", b""),
        (0x00120030, b"LO", b""),
        (0x00120031, b"LO", b""),
        (0x00120040, b"LO", subject),
        (0x00120062, b"CS", b"YES"),
        (0x00120063, b"LO", recipe.method.encode()),
        (0x00120064, b"SQ", codes),
        *(((0x00280302, b"CS", b"NO"),) if recipe.refuses_faces else ()),
        (0x00280303, b"CS", _temporal(recipe)),
    )
    return [(tag, values.element(tag, vr, value, explicit=explicit)) for tag, vr, value in rows]


def _temporal(recipe: Recipe) -> bytes:
    """The value of (0028,0303), Longitudinal Temporal Information Modified."""
    if recipe.full_dates:
        return b"UNMODIFIED"
    return b"MODIFIED" if recipe.shift_days else b"REMOVED"
