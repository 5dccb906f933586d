"""Read a recipe: versioned YAML that names the profile, its options, the objects and stricter rules.

A recipe can only ever be stricter than the profile and the options it declares, because their codes go
into every object it writes. Strict YAML 1.2: repeated and unknown keys, anchors and tags are refused,
each with its line.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Final, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, NodeEvent

from collegium_deid.dictionary import KEYWORDS, VRS, show
from collegium_deid.errors import RecipeError
from collegium_deid.rules import profile
from collegium_deid.rules.documents import Documents
from collegium_deid.rules.pixels import PixelPolicy
from collegium_deid.rules.profile import Rule
from collegium_deid.table import annex_e

_MAX_BYTES: Final = 256 * 1024
_KEYS: Final = ("recipe", "version", "profile", "options", "objects", "dates", "ages", "rules")
SHIPPED: Final = resources.files("collegium_deid") / "recipes"

# Objects whose pixels carry no text by their nature, unless the header says otherwise (see `pixelplan`).
OBJECTS: Final = {
    "CT Image": "1.2.840.10008.5.1.4.1.1.2",
    "Enhanced CT Image": "1.2.840.10008.5.1.4.1.1.2.1",
    "MR Image": "1.2.840.10008.5.1.4.1.1.4",
    "Enhanced MR Image": "1.2.840.10008.5.1.4.1.1.4.1",
    "PET Image": "1.2.840.10008.5.1.4.1.1.128",
    "Enhanced PET Image": "1.2.840.10008.5.1.4.1.1.130",
    "RT Structure Set": "1.2.840.10008.5.1.4.1.1.481.3",
    "Segmentation": "1.2.840.10008.5.1.4.1.1.66.4",
}


@dataclass(frozen=True)
class Recipe:
    """A compiled recipe. `digest` is the SHA-256 of `text` in UTF-8, so it names exactly these words."""

    name: str
    version: str
    options: tuple[str, ...]
    objects: frozenset[str]
    """SOP class UIDs that may pass."""
    shift_days: tuple[int, int] | None
    age_cap_years: int | None
    text: str = field(repr=False)
    digest: str
    rules: dict[int, Rule] = field(repr=False, compare=False)
    pixels: PixelPolicy | None = None
    """None: objects whose pixels would have to be looked at are rejected."""
    documents: Documents = Documents()

    @property
    def method(self) -> str:
        """The value of (0012,0063)."""
        return f"Collegium recipe {self.name} {self.version}"

    @property
    def method_codes(self) -> tuple[profile.Option, ...]:
        """The profile and every option, as (0012,0064) declares them; in the order of their codes."""
        chosen = [profile.BASIC, *(profile.OPTIONS[name] for name in self.options)]
        return tuple(sorted(chosen, key=lambda option: option.code))


def load_recipe(source: str | Path) -> Recipe:
    """Load a shipped recipe by name (`trial`) or any recipe by path.

    Raises:
        RecipeError: there is none, or it is not valid.
    """
    file = SHIPPED / f"{source}.yaml" if isinstance(source, str) and "/" not in source else Path(source)
    if isinstance(source, str) and not file.is_file():
        file = Path(source)
    try:
        raw = file.read_bytes()
        text = raw.decode()
    except (OSError, ValueError) as error:
        raise RecipeError(
            "deid.recipe.unreadable", "It cannot be read as text.", source=str(source)
        ) from error
    return parse_recipe(text, str(source))


def parse_recipe(text: str, source: str = "recipe") -> Recipe:
    """Read a recipe from its text; `source` names it in errors.

    Raises:
        RecipeError: with the line of the first thing that is wrong.
    """
    return _Reader(source).read(text)


class _Reader:
    """One reading of one text; holds the name of its source for errors."""

    def __init__(self, source: str) -> None:
        self.source = source

    def read(self, text: str) -> Recipe:
        body = self.body(text)
        name, version = self.word(body, "recipe"), self.word(body, "version")
        if body.get("profile") != "basic":
            self.fail(body, "profile", "The only profile is: basic.")
        options = self.options(body)
        objects = self.objects(body)
        shift = self.shift(body, options)
        cap = self.cap(body)
        rules = profile.compile_profile(options, cap_ages=cap is not None)
        self.apply(body, rules)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return Recipe(name, version, options, objects, shift, cap, text, digest, rules)

    def body(self, text: str) -> CommentedMap:
        if len(text.encode("utf-8", "replace")) > _MAX_BYTES:
            self.refuse("The text is longer than any recipe.", 0)
        yaml = YAML(typ="rt", pure=True)
        yaml.version = (1, 2)
        yaml.allow_duplicate_keys = False
        try:
            for event in yaml.parse(text):
                if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
                    self.refuse("Anchors and aliases are not allowed.", event.start_mark.line + 1)
                if getattr(event, "tag", None) is not None and str(event.tag) != "!":
                    self.refuse("Tags are not allowed.", event.start_mark.line + 1)
            body = yaml.load(text)
        except DuplicateKeyError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            raise RecipeError(
                "deid.recipe.invalid", "A key is there twice.", source=self.source, line=line
            ) from error
        except (YAMLError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            raise RecipeError(
                "deid.recipe.invalid",
                "This is not YAML.",
                source=self.source,
                line=mark.line + 1 if mark else 0,
            ) from error
        return self.mapping(body, _KEYS, required=_KEYS[:5], line=1)

    def mapping(
        self, value: object, keys: tuple[str, ...], *, required: tuple[str, ...], line: int
    ) -> CommentedMap:
        if not isinstance(value, CommentedMap):
            self.refuse("Key: value pairs are expected here.", line)
        for key in value:
            if key not in keys:
                self.fail(value, key, f"Unknown key. Known: {', '.join(keys)}.")
        for key in required:
            if key not in value:
                self.refuse(f"The key {key} is missing.", value.lc.line + 1)
        return value

    def word(self, body: CommentedMap, key: str) -> str:
        value = body[key]
        # LO of (0012,0063) is 64 characters; "Collegium recipe " and the blank take 18.
        if not isinstance(value, str) or not value.isascii() or not 0 < len(value) <= 22:
            self.fail(body, key, f"{key} must be text of 1 to 22 plain characters (quote a number).")
        if not value.replace("-", "").replace(".", "").replace("_", "").isalnum():
            self.fail(body, key, f"{key} may hold letters, digits, dot, hyphen and underscore.")
        return value

    def words(self, body: CommentedMap, key: str) -> list[tuple[str, int]]:
        value = body.get(key, CommentedSeq())
        if not isinstance(value, CommentedSeq):
            self.fail(body, key, f"{key} must be a list.")
        line = body.lc.key(key)[0] + 1 if key in body else 0
        found = [(str(item), value.lc.item(n)[0] + 1) for n, item in enumerate(value)]
        names = [item for item, _ in found]
        if len(set(names)) != len(names):
            self.refuse(f"{key} names something twice.", line)
        return found

    def options(self, body: CommentedMap) -> tuple[str, ...]:
        for name, line in (found := self.words(body, "options")):
            if name in profile.NOT_YET:
                raise RecipeError(
                    "deid.recipe.not_supported",
                    f"The option {name} is not supported yet.",
                    source=self.source,
                    line=line,
                )
            if name not in profile.OPTIONS:
                self.refuse(f"Unknown option. Known: {', '.join(profile.OPTIONS)}.", line)
        chosen = {name for name, _ in found}
        return tuple(name for name in profile.OPTIONS if name in chosen)

    def objects(self, body: CommentedMap) -> frozenset[str]:
        found = self.words(body, "objects")
        for name, line in found:
            if name not in OBJECTS:
                self.refuse(f"Unknown object. Known: {', '.join(OBJECTS)}.", line)
        if not found:
            self.fail(body, "objects", "At least one object must be named.")
        return frozenset(OBJECTS[name] for name, _ in found)

    def shift(self, body: CommentedMap, options: tuple[str, ...]) -> tuple[int, int] | None:
        wanted = "retain_longitudinal_modified_dates" in options
        if not wanted:
            if "dates" in body:
                self.fail(body, "dates", "dates needs the option retain_longitudinal_modified_dates.")
            return None
        if "dates" not in body:
            self.refuse("The option retain_longitudinal_modified_dates needs the key dates.", 1)
        line = body.lc.key("dates")[0] + 1
        dates = self.mapping(body["dates"], ("shift_days",), required=("shift_days",), line=line)
        days = dates["shift_days"]
        whole = isinstance(days, CommentedSeq) and [type(day) for day in days] == [int, int]
        if not whole or not -36500 <= days[0] < days[1] <= 36500 or days[1] - days[0] < 30:
            self.fail(dates, "shift_days", "shift_days must be [first, last] in days, 30 or more apart.")
        return days[0], days[1]

    def cap(self, body: CommentedMap) -> int | None:
        if "ages" not in body:
            return None
        line = body.lc.key("ages")[0] + 1
        ages = self.mapping(body["ages"], ("cap_years",), required=("cap_years",), line=line)
        cap = ages["cap_years"]
        if type(cap) is not int or not 1 <= cap <= 120:
            self.fail(ages, "cap_years", "cap_years must be a whole number of years.")
        return cap

    def apply(self, body: CommentedMap, rules: dict[int, Rule]) -> None:
        listed = body.get("rules", CommentedSeq())
        if not isinstance(listed, CommentedSeq):
            self.fail(body, "rules", "rules must be a list.")
        seen: set[int] = set()
        for n, item in enumerate(listed):
            line = listed.lc.item(n)[0] + 1
            rule = self.mapping(item, ("tag", "action", "why"), required=("tag", "action", "why"), line=line)
            tag = self.tag(rule)
            if tag in seen:
                self.fail(rule, "tag", f"There are two rules for {show(tag)}.")
            seen.add(tag)
            rules[tag] = self.rule(rule, tag, rules.get(tag, profile.REMOVE))

    def tag(self, rule: CommentedMap) -> int:
        text = str(rule["tag"])
        if text in KEYWORDS:
            return KEYWORDS[text]
        digits = text.strip("()").replace(",", "")
        try:
            tag = int(digits, 16)
        except ValueError:
            tag = -1
        if len(digits) != 8 or tag not in VRS | annex_e():
            self.fail(rule, "tag", "No such attribute; write a keyword or (gggg,eeee).")
        return tag

    def rule(self, rule: CommentedMap, tag: int, now: Rule) -> Rule:
        """The stricter rule; anything that would keep more than the profile is refused."""
        action = rule["action"]
        if tag in profile.STRUCTURE or tag in profile.SUBJECT or now.how == "U":
            self.fail(rule, "tag", "The engine needs this attribute; no rule may change it.")
        if action not in {"X", "Z", "C", "K"}:
            self.fail(rule, "action", "An action is one of X, Z, C, K.")
        stricter = {"X": profile.REMOVE, "K": now if now.action == "K" else None}
        if now.action != "X":
            stricter["Z"] = profile.EMPTY
        if now.how in {"T", "W"}:
            stricter["C"] = Rule("C", "W", now.fallback)
        chosen = stricter.get(action)
        if chosen is None:
            message = f"{action} would keep more of {show(tag)} than the profile and its options allow."
            self.fail(rule, "action", message)
        return chosen

    def fail(self, where: CommentedMap, key: Any, message: str) -> NoReturn:  # Any: any YAML scalar is a key
        line = where.lc.key(key)[0] + 1 if key in where else where.lc.line + 1
        self.refuse(message, line)

    def refuse(self, message: str, line: int) -> NoReturn:
        raise RecipeError("deid.recipe.invalid", message, source=self.source, line=line)
