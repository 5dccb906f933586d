"""What the page's worker asks of `collegium_deid`, in words that cross into JavaScript.

Runs in Pyodide. Only the first bytes of a file come through here; its pixels stay where they are, and the
answer says which of them pass. Nothing here knows the browser, so tests may run it anywhere.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from picture import picture_of
from pydicom._uid_dict import UID_dictionary

from collegium_deid import (
    DeidError,
    NeedMoreBytes,
    PixelPassage,
    Rejected,
    SiteKey,
    clean_object,
    identifiers_of,
    load_recipe,
    parse_file,
    prepare,
    verify_against,
)
from collegium_deid.engine.pixelmark import declare_pixels_cleaned
from collegium_deid.engine.pixelplan import Look, PixelPlan
from collegium_deid.rules.recipe import SHIPPED

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium_deid import Cleaned

FIRST_READ: Final = 64 * 1024
# A big endian or deflated file comes through Python whole, to be converted; a browser has no room for more.
MOST_CONVERTED: Final = 256 * 1024 * 1024
_LOOKED_AT: Final = PixelPlan(Look.NONE, "A person looks at the picture.")


@dataclass(frozen=True)
class Source:
    """A file's bytes from one offset to another, and how many there are; or the bytes a file was converted to."""

    read: Callable[[int, int], bytes]
    size: int
    converted: bytes = b""

    def to_readable(self) -> Source:
        """The same object in a syntax that the engine reads.

        Raises:
            Rejected: there is no way to convert it, or it is too long for a browser.
        """
        if self.size > MOST_CONVERTED:
            raise Rejected(
                "deid.browser.too_long", "The file must be converted, and is too long for a browser."
            )
        old = self.read(0, self.size)
        new = prepare(old)
        if new is old:
            raise Rejected("deid.syntax_declined", "The transfer syntax is not supported.")
        return Source(lambda start, end: new[start:end], len(new), new)


class Session:
    """One recipe, one key and whom the pictures are of, for a run over many files."""

    def __init__(self, recipe: str, key: str, subject: str, table: str = "") -> None:
        """`key` as in a key file; `table` is JSON from local ids to codes: then `subject` is not used."""
        self._recipe = load_recipe(recipe)
        self._key = _key(key)
        self._subject = _looked_up(json.loads(table)) if table else subject

    def clean(self, read: Callable[[int, int], bytes], size: int) -> tuple[str, bytes, bytes]:
        """Clean and verify one file; a refusal is an answer too.

        Args:
            read: gives the file's bytes from one offset to another.
            size: of the file in bytes.

        Returns:
            What was done, as JSON without any value of the input's header; the new header; and the pixel
            element when it had to be converted, else nothing: then it lies in the file, from `start` to `end`.
        """
        try:
            source = Source(read, size)
            try:
                return self._clean(source)
            except Rejected as error:
                if error.code != "deid.syntax_declined":
                    raise
            return self._clean(source.to_readable())
        except DeidError as error:
            return json.dumps({"state": "refused", "code": error.code, "reason": error.message}), b"", b""

    def _clean(self, source: Source) -> tuple[str, bytes, bytes]:
        old, cleaned = self._read_cleaned(source)
        looks = cleaned.plan.look is not Look.NONE
        # Kept back by the page until a person has said that every picture of the series was looked at.
        new = declare_pixels_cleaned(cleaned.head) if looks else cleaned.head
        verify_against(identifiers_of(old), new)
        end = _end_of_pixels(cleaned, source)
        told: dict[str, Any] = {  # Any: JSON
            "state": "look" if looks else "clean",
            "reason": cleaned.plan.why if looks else "",
            "study": cleaned.study_uid,
            "series": cleaned.series_uid,
            "instance": cleaned.sop_instance_uid,
            "kind": UID_dictionary.get(cleaned.sop_class_uid, ("",))[0].removesuffix(" Storage"),
            "start": cleaned.pixel_start,
            "end": end,
            "counts": cleaned.report.counts,
        }
        if looks:
            parsed = parse_file(old, complete=len(old) == source.size)
            first = cleaned.pixel_start
            told["picture"] = picture_of(
                parsed, end - first, lambda at, to: source.read(first + at, first + to)
            )
        return json.dumps(told), new, source.converted[cleaned.pixel_start : end]

    def _read_cleaned(self, source: Source) -> tuple[bytes, Cleaned]:
        """As many bytes as the header needs, and the cleaned header."""
        wanted = FIRST_READ
        while True:
            head = source.read(0, min(wanted, source.size))
            try:
                cleaned = clean_object(
                    head,
                    recipe=self._recipe,
                    key=self._key,
                    subject=self._subject,
                    complete=len(head) == source.size,
                )
            except NeedMoreBytes as error:
                wanted = max(error.at_least, 4 * wanted)
            else:
                return head, cleaned


def recipes() -> str:
    """The shipped recipes as JSON: name, version, digest and what each keeps and does."""
    names = sorted(
        file.name.removesuffix(".yaml") for file in SHIPPED.iterdir() if file.name.endswith(".yaml")
    )
    return json.dumps([_facts(name) for name in names])


def new_key() -> str:
    """What the file of a new site key holds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "key"
        SiteKey.generate().save_new(path)
        return path.read_text("ascii")


def refusal_of_key(text: str) -> str:
    """Why this is no key file; empty when it is one."""
    try:
        _key(text)
    except DeidError as error:
        return error.message
    return ""


def _key(text: str) -> SiteKey:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "key"
        path.write_text(text, "utf-8")
        return SiteKey.load(path)


def _facts(name: str) -> dict[str, Any]:  # Any: JSON
    recipe = load_recipe(name)
    return {
        "name": recipe.name,
        "version": recipe.version,
        "digest": recipe.digest,
        "codes": [[option.code, option.meaning] for option in recipe.method_codes],
        "shifts": list(recipe.shift_days or ()),
        "looks": recipe.pixels is not None,
        "fill": recipe.pixels.fill if recipe.pixels else "",
    }


def _looked_up(table: dict[str, str]) -> Callable[[str], str]:
    def code(local_id: str) -> str:
        found = table.get(local_id.strip())
        if found is None:
            raise Rejected("deid.subject_unknown", "The table has no subject code for this patient.")
        return found

    return code


def _end_of_pixels(cleaned: Cleaned, source: Source) -> int:
    """Where the pixel element ends; of its values only the lengths are read."""
    passage = PixelPassage(replace(cleaned, plan=_LOOKED_AT))
    pos = cleaned.pixel_start
    while pieces := passage.feed(source.read(pos, min(pos + passage.wanted, source.size))):
        pos += sum(map(len, pieces)) + passage.passing
        if pos > source.size:
            break
        passage.skip()
    passage.finish()
    return pos
