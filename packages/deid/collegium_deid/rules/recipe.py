"""A recipe: versioned YAML that names the profile, its options, the objects and stricter rules.

A recipe can only ever be stricter than the profile and the options it declares, because their codes go
into every object it writes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from collegium_deid.errors import RecipeError
from collegium_deid.rules import options as of
from collegium_deid.rules import profile, selectors
from collegium_deid.rules.parse import KEYS, REQUIRED, Parts
from collegium_deid.rules.tree import Base, Line, Rules, apply, grow

if TYPE_CHECKING:
    from collegium_deid.rules.documents import Documents
    from collegium_deid.rules.pixels import PixelPolicy
    from collegium_deid.rules.profile import Rule

SHIPPED: Final = resources.files("collegium_deid") / "recipes"


@dataclass(frozen=True)
class Recipe:
    """A compiled recipe. `digest` is the SHA-256 of `text` in UTF-8, so it names exactly these words."""

    name: str
    version: str
    options: tuple[str, ...]
    """In the order in which they apply."""
    objects: frozenset[str]
    """SOP class UIDs that may pass."""
    shift_days: tuple[int, int] | None
    age_cap_years: int | None
    text: str = field(repr=False)
    digest: str
    pixels: PixelPolicy | None
    """None: objects whose pixels would have to be looked at are rejected."""
    documents: Documents
    un: str
    """`read`: an element of VR UN is judged by the dictionary; `X`: it is removed."""
    lines: tuple[Line, ...] = field(repr=False)
    """The recipe's own rules, in their order."""
    anywhere: Rules = field(repr=False, compare=False)
    """What holds in an object of unknown kind."""
    _by_class: dict[str, Rules] = field(default_factory=dict, repr=False, compare=False)

    def as_if_taking(self, sop_class_uid: str) -> Recipe:
        """The same with one kind more, and without the documents inside: to show what would be left, never to send."""
        documents = replace(self.documents, encapsulated="X")
        return replace(self, objects=self.objects | {sop_class_uid}, documents=documents, _by_class={})

    def rules_for(self, sop_class_uid: str) -> Rules:
        """What holds at the top level of this kind of object; codes by type are resolved by its IOD."""
        found = self._by_class.get(sop_class_uid)
        if found is None:
            if sop_class_uid not in self.objects:
                return self.anywhere
            found = self._by_class[sop_class_uid] = self._in_object(sop_class_uid)
        return found

    def _in_object(self, sop_class_uid: str) -> Rules:
        typed = dict(profile.in_object(self.options, sop_class_uid))
        profile.without_words(typed, self.documents)
        top = self.anywhere
        out, decided = apply(typed, self.at_top())
        others = {tag: number for tag, number in top.decided.items() if tag not in typed}
        return replace(top, standard={**top.standard, **out}, decided={**others, **decided})

    def at_top(self) -> list[tuple[int, Line]]:
        """The rules that speak about the top level."""
        return [(n, line) for n, line in enumerate(self.lines) if not any(line.selector.steps)]

    @property
    def uids_kept(self) -> bool:
        return "retain_uids" in self.options

    @property
    def full_dates(self) -> bool:
        return of.FULL in self.options

    @property
    def refuses_faces(self) -> bool:
        """Objects that may show a face are refused; the others say so in (0028,0302)."""
        return of.FACES in self.options

    @property
    def method(self) -> str:
        """The value of (0012,0063)."""
        return f"Collegium recipe {self.name} {self.version}"

    @property
    def method_codes(self) -> tuple[of.Option, ...]:
        """The profile and the options the header declares in (0012,0064); in the order of their codes.

        Not Clean Pixel Data: only the step that did it may say so (`pixel_code`).
        """
        chosen = [of.BASIC, *(of.OPTIONS[name] for name in self.options if name != of.PIXELS)]
        return tuple(sorted(chosen, key=lambda option: option.code))

    @property
    def pixel_code(self) -> of.Option | None:
        """The code the pixel step adds."""
        return of.OPTIONS[of.PIXELS] if of.PIXELS in self.options else None


def load_recipe(source: str | Path) -> Recipe:
    """Load a shipped recipe by name (`trial`) or any recipe by path.

    Raises:
        RecipeError: there is none, or it is not valid.
    """
    file = SHIPPED / f"{source}.yaml" if isinstance(source, str) and "/" not in source else Path(source)
    if isinstance(source, str) and not file.is_file():
        file = Path(source)
    if not file.is_file():
        known = ", ".join(sorted(Path(shipped.name).stem for shipped in SHIPPED.iterdir()))
        raise RecipeError(
            "deid.recipe.none", f"There is no such recipe. Shipped are: {known}.", source=str(source)
        )
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
    read = Parts(source)
    body = read.mapping(read.body(text), KEYS, required=REQUIRED, line=1)
    name, version = read.word(body, "recipe"), read.word(body, "version")
    read.choice(body, "profile", ("basic",), "")
    read.choice(body, "on_error", ("quarantine",), "quarantine")
    options = read.options(body)
    cap = read.cap(body)
    documents = read.documents(body, options)
    unknown_standard, unknown_private, un = read.defaults(body)
    standard = profile.compile_profile(options, cap_ages=cap is not None)
    profile.without_words(standard, documents)
    lines = read.lines(body, standard, options)
    private = profile.private_rules(options) | _own_private(lines, options)
    refuse = {"X": profile.REMOVE, "reject": profile.REFUSE}
    base = Base(
        standard,
        private,
        {key: vr for key in private if (vr := selectors.private_vr(key))},
        refuse[unknown_standard],
        refuse[unknown_private],
    )
    tree = grow(base, lines)
    read.check(lines, tree.reached, tree.deciding)
    return Recipe(
        name=name,
        version=version,
        options=options,
        objects=read.objects(body, options),
        shift_days=read.shift(body, options),
        age_cap_years=cap,
        text=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        pixels=read.pixels(body, options),
        documents=documents,
        un=un,
        lines=lines,
        anywhere=tree.top,
    )


def _own_private(lines: tuple[Line, ...], options: tuple[str, ...]) -> dict[tuple[str, int], Rule]:
    own = {}
    for line in lines:
        key = line.selector.private
        if key is not None:
            keep = profile.keep_private(selectors.private_vr(key) or "", options)
            own[key] = keep if line.action == "K" else profile.REMOVE
    return own
