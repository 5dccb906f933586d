"""Strict YAML 1.2 with line numbers: repeated and unknown keys, anchors and tags are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, NodeEvent

from collegium_deid.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_MAX_BYTES: Final = 256 * 1024


class Reader:
    """One reading of one text; holds the name of its source for errors."""

    def __init__(self, source: str) -> None:
        self.source = source

    def body(self, text: str) -> object:
        """The document; its mappings and lists know their lines."""
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
            return yaml.load(text)
        except DuplicateKeyError as error:
            self.refuse("A key is there twice.", error.problem_mark.line + 1 if error.problem_mark else 0)
        except (YAMLError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            self.refuse("This is not YAML.", mark.line + 1 if mark else 0)

    def mapping(
        self, value: object, keys: tuple[str, ...], *, required: Collection[str] = (), line: int
    ) -> CommentedMap:
        """`value`, if it is a mapping with these keys only and all that are required."""
        if not isinstance(value, CommentedMap):
            self.refuse("Key: value pairs are expected here.", line)
        for key in value:
            if key not in keys:
                self.fail(value, key, f"Unknown key. Known: {', '.join(keys)}.")
        for key in required:
            if key not in value:
                self.refuse(f"The key {key} is missing.", value.lc.line + 1)
        return value

    def part(
        self, body: CommentedMap, key: str, keys: tuple[str, ...], *, required: Collection[str] = ()
    ) -> CommentedMap:
        """The mapping under a key of another."""
        return self.mapping(body[key], keys, required=required, line=self.line(body, key))

    def words(self, body: CommentedMap, key: str) -> list[tuple[str, int]]:
        """A list of different words, each with its line; empty when the key is not there."""
        found = [(str(item), line) for item, line in self.items(body, key)]
        if len({item for item, _ in found}) != len(found):
            self.fail(body, key, f"{key} names something twice.")
        return found

    def items(self, body: CommentedMap, key: str) -> Iterator[tuple[object, int]]:
        """The items of a list, each with its line."""
        value = body.get(key, CommentedSeq())
        if not isinstance(value, CommentedSeq):
            self.fail(body, key, f"{key} must be a list.")
        for n, item in enumerate(value):
            yield item, value.lc.item(n)[0] + 1

    def choice(self, body: CommentedMap, key: str, choices: Collection[str], default: str) -> str:
        """One of a few words."""
        value = body.get(key, default)
        if value not in choices:
            self.fail(body, key, f"{key} is one of: {', '.join(choices)}.")
        return str(value)

    def line(self, where: CommentedMap, key: Any) -> int:  # Any: any YAML scalar is a key
        return int(where.lc.key(key)[0]) + 1 if key in where else int(where.lc.line) + 1

    def fail(self, where: CommentedMap, key: Any, message: str) -> NoReturn:  # Any: any YAML scalar is a key
        self.refuse(message, self.line(where, key))

    def refuse(self, message: str, line: int) -> NoReturn:
        raise RecipeError("deid.recipe.invalid", message, source=self.source, line=line) from None
