"""From the text of a recipe to its parts; every mistake is an error with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from collegium_deid.dictionary import BULK, STRINGS, VRS, show
from collegium_deid.rules import selectors
from collegium_deid.rules.documents import Documents
from collegium_deid.rules.objects import NO_TEXT_IN_PIXELS, OBJECTS, near
from collegium_deid.rules.options import FULL, MODIFIED, OPTIONS, PIXELS
from collegium_deid.rules.pixels import FILLS, LOOKS, POLICIES, RELEASES, DevicePlaces, PixelPolicy
from collegium_deid.rules.reader import Reader
from collegium_deid.rules.strictness import ACTIONS, is_fixed, stricter
from collegium_deid.rules.tree import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from collegium_deid.rules.profile import Rule

KEYS: Final = (
    "recipe", "version", "profile", "options", "objects", "dates", "ages", "rules", "defaults", "pixels",
    "documents", "on_error",
)  # fmt: skip
REQUIRED: Final = KEYS[:5]
_RULE_KEYS: Final = ("tag", "vr", "creator", "action", "why")
# What may be said about each part, the default first, and the option that must allow the other word.
_DOCUMENTS: Final = {
    "encapsulated": (("reject", "X"), ""),
    "sr_text": (("X", "C"), "clean_structured_content"),
    "presentation_text": (("X", "C"), "clean_graphics"),
    "waveform_annotations": (("X", "C"), "clean_structured_content"),
    "overlays": (("X",), ""),
    "curves": (("X",), ""),
    "icons": (("X",), ""),
    "dicomdir": (("reject",), ""),
    "preamble": (("zero",), ""),
}


class Parts(Reader):
    """Reads each key of a recipe."""

    def word(self, body: CommentedMap, key: str) -> str:
        value = body[key]
        # LO of (0012,0063) is 64 characters; "Collegium recipe " and the blank take 18.
        if not isinstance(value, str) or not value.isascii() or not 0 < len(value) <= 22:
            self.fail(body, key, f"{key} must be text of 1 to 22 plain characters (quote a number).")
        if not value.replace("-", "").replace(".", "").replace("_", "").isalnum():
            self.fail(body, key, f"{key} may hold letters, digits, dot, hyphen and underscore.")
        return value

    def options(self, body: CommentedMap) -> tuple[str, ...]:
        for name, line in (found := self.words(body, "options")):
            if name not in OPTIONS:
                self.refuse(f"Unknown option. Known: {', '.join(OPTIONS)}.", line)
        chosen = {name for name, _ in found}
        if {FULL, MODIFIED} <= chosen:
            self.fail(
                body, "options", "Dates are either kept in full or moved; choose one of the two options."
            )
        return tuple(name for name in OPTIONS if name in chosen)

    def objects(self, body: CommentedMap, options: tuple[str, ...]) -> frozenset[str]:
        found = self.words(body, "objects")
        for name, line in found:
            if name not in OBJECTS:
                self.refuse(
                    f"Unknown object; the names are those of DICOM's storage classes, such as: {near(name)}.",
                    line,
                )
            if OBJECTS[name] not in NO_TEXT_IN_PIXELS and PIXELS not in options:
                self.refuse(f"{name} may carry text in its pixels; it needs the option {PIXELS}.", line)
        if not found:
            self.fail(body, "objects", "At least one object must be named.")
        return frozenset(OBJECTS[name] for name, _ in found)

    def shift(self, body: CommentedMap, options: tuple[str, ...]) -> tuple[int, int] | None:
        if MODIFIED not in options:
            if "dates" in body:
                self.fail(body, "dates", f"dates needs the option {MODIFIED}.")
            return None
        if "dates" not in body:
            self.refuse(f"The option {MODIFIED} needs the key dates.", 1)
        dates = self.part(body, "dates", ("shift_days",), required=("shift_days",))
        first, last = _whole_numbers(dates["shift_days"], 2) or (0, 0)
        if not -36500 <= first <= last - 30 <= 36470:
            self.fail(dates, "shift_days", "shift_days must be [first, last] in days, 30 or more apart.")
        return first, last

    def cap(self, body: CommentedMap) -> int | None:
        if "ages" not in body:
            return None
        ages = self.part(body, "ages", ("cap_years",), required=("cap_years",))
        cap = ages["cap_years"]
        if type(cap) is not int or not 1 <= cap <= 120:
            self.fail(ages, "cap_years", "cap_years must be a whole number of years.")
        return cap

    def defaults(self, body: CommentedMap) -> tuple[str, str, str]:
        """What happens to unknown standard attributes, unknown private ones, and VR UN."""
        if "defaults" not in body:
            return "X", "X", "read"
        part = self.part(body, "defaults", ("unknown_standard", "unknown_private", "un"))
        return (
            self.choice(part, "unknown_standard", ("X", "reject"), "X"),
            self.choice(part, "unknown_private", ("X", "reject"), "X"),
            self.choice(part, "un", ("read", "X"), "read"),
        )

    def pixels(self, body: CommentedMap, options: tuple[str, ...]) -> PixelPolicy | None:
        if PIXELS not in options:
            if "pixels" in body:
                self.fail(body, "pixels", f"pixels needs the option {PIXELS}.")
            return None
        if "pixels" not in body:
            self.refuse(f"The option {PIXELS} needs the key pixels.", 1)
        keys = ("policy", "look", "on_uncertain", "fill", "allow", "release", "devices")
        part = self.part(body, "pixels", keys, required=("policy",))
        allow = self.words(part, "allow")
        for word, line in allow:
            if not word.isalnum() or word != word.casefold() or len(word) > 40:
                self.refuse("allow holds single words in lower case.", line)
        return PixelPolicy(
            policy=self.choice(part, "policy", POLICIES, ""),
            look=self.choice(part, "look", LOOKS, "doubtful"),
            on_uncertain=self.choice(part, "on_uncertain", ("quarantine",), "quarantine"),
            fill=self.choice(part, "fill", FILLS, "background"),
            allow=tuple(word for word, _ in allow),
            release=self.choice(part, "release", RELEASES, "person"),
            devices=self.devices(part),
        )

    def devices(self, part: CommentedMap) -> tuple[DevicePlaces, ...]:
        found = tuple(self.device(item, line) for item, line in self.items(part, "devices"))
        if len({one.device for one in found}) != len(found):
            self.fail(part, "devices", "devices names something twice.")
        return found

    def device(self, item: object, line: int) -> DevicePlaces:
        keys = ("maker", "model", "rows", "columns", "boxes")
        body = self.mapping(item, keys, required=keys, line=line)
        maker, model, rows, columns = (body[key] for key in keys[:4])
        if not all(isinstance(word, str) and 0 < len(word.strip()) <= 64 for word in (maker, model)):
            self.refuse("maker and model are texts of up to 64 characters.", line)
        if not all(type(size) is int and 0 < size < 1 << 16 for size in (rows, columns)):
            self.refuse("rows and columns are whole numbers of pixels.", line)
        boxes = tuple(_box(box, rows, columns) for box, _ in self.items(body, "boxes"))
        if not boxes or None in boxes:
            self.refuse("boxes are [left, top, right, bottom], inside the picture, at least one.", line)
        return DevicePlaces(maker, model, rows, columns, tuple(filter(None, boxes)))

    def documents(self, body: CommentedMap, options: tuple[str, ...]) -> Documents:
        part = self.part(body, "documents", tuple(_DOCUMENTS)) if "documents" in body else CommentedMap()
        chosen = {}
        for key, (choices, option) in _DOCUMENTS.items():
            allowed = not option or option in options
            # Declaring the option is asking for it: C is the default then.
            chosen[key] = self.choice(part, key, choices, "C" if option and allowed else choices[0])
            if chosen[key] == "C" and not allowed:
                self.fail(part, key, f"{key}: C needs the option {option}.")
        return Documents(**chosen)

    def lines(
        self, body: CommentedMap, standard: Mapping[int, Rule], options: tuple[str, ...]
    ) -> tuple[Line, ...]:
        return tuple(self.rule(item, line, standard, options) for item, line in self.items(body, "rules"))

    def rule(self, item: object, line: int, standard: Mapping[int, Rule], options: tuple[str, ...]) -> Line:
        rule = self.mapping(item, _RULE_KEYS, required=("action", "why"), line=line)
        if not isinstance(rule["why"], str) or not rule["why"].strip():
            self.fail(rule, "why", "why is a reason in words.")
        action = str(rule["action"])
        if action not in ACTIONS:
            self.fail(rule, "action", f"An action is one of {', '.join(ACTIONS)}.")
        selector = self.selector(rule, standard)
        if selector.private:
            self.private(rule, selector.private, action, options)
        else:
            self.standard(rule, selector, action, standard)
        return Line(selector, action, rule["why"].strip(), line)

    def selector(self, rule: CommentedMap, known: Iterable[int]) -> selectors.Selector:
        key = "vr" if "vr" in rule else "tag"
        try:
            if {"vr", "tag"} <= set(rule) or {"vr", "creator"} <= set(rule) or not {"vr", "tag"} & set(rule):
                self.refuse("A rule names a tag, or a vr, or a creator and a tag.", self.line(rule, "action"))
            if "creator" in rule:
                return selectors.by_creator(str(rule["creator"]).strip(), str(rule["tag"]))
            by = selectors.by_vr if key == "vr" else selectors.by_path
            return by(str(rule[key]), known)
        except selectors.NoSuchAttribute as error:
            self.fail(rule, key, str(error))

    def standard(
        self, rule: CommentedMap, selector: selectors.Selector, action: str, standard: Mapping[int, Rule]
    ) -> None:
        """Refuse a rule that would keep more than the profile of everything it names."""
        tags = [tag for tag in selector.tags if not is_fixed(tag)]
        if not tags:
            self.fail(rule, "tag", "The engine needs this attribute; no rule may change it.")
        if all(stricter(standard[t], action, is_sequence=VRS.get(t) == "SQ") is None for t in tags):
            what = show(tags[0]) if len(tags) == 1 else "everything it names"
            message = f"{action} would keep more of {what} than the profile and its options allow."
            self.fail(rule, "action", message)

    def private(
        self, rule: CommentedMap, key: tuple[str, int], action: str, options: tuple[str, ...]
    ) -> None:
        if action not in {"K", "X"}:
            self.fail(rule, "action", "A private element is kept (K) or removed (X).")
        if action == "X":
            return
        if "retain_safe_private" not in options:
            self.fail(rule, "action", "K for a private element needs the option retain_safe_private.")
        vr = selectors.private_vr(key)
        if vr is None or vr in BULK or vr not in STRINGS | set(VRS.values()):
            self.fail(rule, "tag", "What this private element holds is not known, so nobody can judge it.")

    def check(self, lines: tuple[Line, ...], reached: frozenset[int], deciding: frozenset[int]) -> None:
        """Refuse rules that never have the word."""
        seen: dict[tuple[str, int], Line] = {}
        for number, line in enumerate(lines):
            key = line.selector.private
            if key is not None:
                if key in seen:
                    self.shadowed(line, seen[key])
                seen[key] = line
            elif number not in reached:
                self.refuse(
                    "This rule can never match: a sequence on its path is removed, emptied or on no path.",
                    line.number,
                )
            elif number not in deciding:
                first = (e for e in lines[:number] if e.selector.tags & line.selector.tags)
                self.shadowed(line, next(first))

    def shadowed(self, line: Line, by: Line) -> None:
        says = "covers it" if by.action == line.action else f"contradicts it ({by.action}) and comes first"
        self.refuse(f"This rule can never match: the rule in line {by.number} {says}.", line.number)


def _whole_numbers(value: object, count: int) -> list[int] | None:
    """A list of so many; None where it is anything else."""
    if not isinstance(value, CommentedSeq) or len(value) != count:
        return None
    # A zero of the text is an int of the reader's own kind; a bool is one of Python's.
    return (
        [int(one) for one in value]
        if all(isinstance(one, int) and not isinstance(one, bool) for one in value)
        else None
    )


def _box(value: object, rows: int, columns: int) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom; None where that is no part of the picture."""
    left, top, right, bottom = _whole_numbers(value, 4) or (0, 0, 0, 0)
    is_inside = 0 <= left < right <= columns and 0 <= top < bottom <= rows
    return (left, top, right, bottom) if is_inside else None
