"""One strict YAML 1.2 reader for files that people write, and one canonical writer.

A document becomes `Node`s that know their line, so that each fault can be shown beside it. Refused: duplicate
keys, anchors and aliases (a file means what it shows), tags, more than one document, oversized files.
Numbers become int or Decimal, never float; `yes`, `no` and `on` are text, as YAML 1.2 says.
"""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.representer import SafeRepresenter

from collegium.kit.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
_BRACKETS = re.compile(r"[\[\]{}]")

Scalar: TypeAlias = str | int | Decimal | bool | None


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault of a document: where, what, and what to do about it."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}"


class YamlError(Invalid):
    """A document that cannot be accepted. `problems` lists every fault found, in order of lines."""

    code = "kit.yaml.invalid"
    message = "The file cannot be accepted as it is. Nothing was changed."

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the document and the line it stands on (from 1)."""

    value: dict[str, Node] | list[Node] | Scalar
    line: int

    def fault(self, message: str) -> YamlError:
        return YamlError([Problem(self.line, message)])

    def fields(self, required: Sequence[str] = (), optional: Sequence[str] = ()) -> dict[str, Node]:
        """The mapping's entries; every key must be named here.

        Raises:
            YamlError: not a mapping, a key that is not known, or one that is missing.
        """
        entries = self.mapping()
        known = [*required, *optional]
        faults = [
            Problem(value.line, f"“{key}” is not known here. Known are: {', '.join(known)}.")
            for key, value in entries.items()
            if key not in known
        ]
        faults += [Problem(self.line, f"“{key}” is missing here.") for key in required if key not in entries]
        if faults:
            raise YamlError(faults)
        return entries

    def mapping(self) -> dict[str, Node]:
        if not isinstance(self.value, dict):
            raise self.fault("Here must stand “name: value” lines.")
        return self.value

    def sequence(self) -> list[Node]:
        if not isinstance(self.value, list):
            raise self.fault("Here must stand a list (lines that start with “- ”).")
        return self.value

    def text(self, *, longest: int = 400) -> str:
        if not isinstance(self.value, str) or not self.value.strip():
            quoted = " Put it in quotes." if isinstance(self.value, (int, Decimal, bool)) else ""
            raise self.fault(f"Here must stand text.{quoted}")
        if len(self.value) > longest:
            raise self.fault(f"This text is longer than {longest} characters.")
        return self.value

    def number(self) -> Decimal:
        if isinstance(self.value, bool) or not isinstance(self.value, (int, Decimal)):
            raise self.fault("Here must stand a number.")
        return Decimal(self.value)

    def whole(self, lowest: int, highest: int) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.fault("Here must stand a whole number.")
        if not lowest <= self.value <= highest:
            raise self.fault(f"This number must lie between {lowest} and {highest}.")
        return self.value

    def truth(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.fault("Here must stand true or false.")
        return self.value

    def one_of(self, words: Sequence[str]) -> str:
        if not isinstance(self.value, str) or self.value not in words:
            raise self.fault(f"“{self.value}” is not possible here. Possible are: {', '.join(words)}.")
        return self.value


@dataclass(slots=True)
class Problems:
    """Gathers faults over a document, so that its author sees all of them at once."""

    found: list[Problem] = field(default_factory=list)

    def add(self, node: Node, message: str) -> None:
        self.found.append(Problem(node.line, message))

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep the faults of a part and go on with the next part."""
        try:
            yield
        except YamlError as error:
            self.found += error.problems

    def finish(self) -> None:
        """Raises YamlError when anything was found."""
        if self.found:
            raise YamlError(self.found)


def load(text: str) -> Node:
    """Read one document.

    Raises:
        YamlError: not YAML 1.2, or something this reader refuses.
    """
    if len(text.encode()) > MAX_BYTES:
        raise YamlError([Problem(1, f"The file is larger than {MAX_BYTES:,} bytes.")])
    if (line := _line_too_deep(text)) is not None:
        raise YamlError([Problem(line, "This is nested too deep.")])
    reader = YAML(typ="rt", pure=True)
    reader.version = (1, 2)
    try:
        _refuse_references(reader, text)
        documents = list(reader.compose_all(io.StringIO(text)))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = (error.problem or error.context or "unreadable").strip()
        raise YamlError(
            [Problem(mark.line + 1 if mark else 1, f"This is not valid YAML: {said}.")]
        ) from error
    except (YAMLError, RecursionError, ValueError) as error:
        raise YamlError([Problem(1, "This is not valid YAML.")]) from error
    if len(documents) != 1:
        raise YamlError([Problem(1, "The file must hold exactly one document.")])
    problems = Problems()
    node = _node(documents[0], problems, 0)
    problems.finish()
    return node


def dump(value: object) -> str:
    """The canonical text: keys in the order given, one form for each value, UTF-8, LF."""
    writer = YAML(typ="safe", pure=True)
    writer.Representer = _Plain
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel annotates its default None
    writer.allow_unicode = True
    writer.width = 100_000
    writer.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    writer.dump(value, out)
    return out.getvalue()


class _Plain(SafeRepresenter):
    """Safe representer that keeps decimals as they were written and long text readable."""


def _represent_decimal(representer: SafeRepresenter, value: Decimal) -> ScalarNode:
    text = format(value, "f")
    return representer.represent_scalar(
        "tag:yaml.org,2002:float" if "." in text else "tag:yaml.org,2002:int", text
    )


def _represent_mapping(representer: SafeRepresenter, value: dict[str, object]) -> MappingNode:
    return representer.represent_mapping("tag:yaml.org,2002:map", value.items())  # items: keep the order


_Plain.add_representer(Decimal, _represent_decimal)
_Plain.add_representer(dict, _represent_mapping)


def _line_too_deep(text: str) -> int | None:
    """The line where more brackets stand open than any file needs; the parser's time grows with their square.

    Brackets inside of quotes count too: a bound, not a parser.
    """
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth = depth + 1 if found[0] in "[{" else max(0, depth - 1)
        if depth > MAX_DEPTH:
            return text.count("\n", 0, found.start()) + 1
    return None


def _refuse_references(reader: Any, text: str) -> None:  # Any: ruamel's YAML.parse is untyped
    for event in reader.parse(io.StringIO(text)):
        line = event.start_mark.line + 1
        if getattr(event, "version", None) or getattr(event, "tags", None):
            raise YamlError([Problem(line, "Directives (%) are not used here; the file is YAML 1.2.")])
        if getattr(event, "anchor", None):
            raise YamlError([Problem(line, "References (& and *) are not used here. Write the value out.")])
        if getattr(event, "ctag", None) or (getattr(event, "tag", None) and not _implicit(event)):
            raise YamlError([Problem(line, "Tags (!) are not used here.")])


def _implicit(event: Any) -> bool:  # Any: an event of ruamel
    return event.implicit if isinstance(event.implicit, bool) else any(event.implicit or ())


def _node(raw: Any, problems: Problems, depth: int) -> Node:  # Any: a node of ruamel, untyped
    line = raw.start_mark.line + 1 if raw is not None else 1
    if raw is None:
        return Node(None, line)
    if depth > MAX_DEPTH:
        raise YamlError([Problem(line, "This is nested too deep.")])
    if isinstance(raw, MappingNode):
        entries: dict[str, Node] = {}
        for key, value in raw.value:
            if not isinstance(key, ScalarNode):
                problems.found.append(Problem(key.start_mark.line + 1, "A name must be plain text."))
                continue
            name = str(key.value)
            if name in entries:
                problems.found.append(Problem(key.start_mark.line + 1, f"“{name}” stands here twice."))
            entry = _node(value, problems, depth + 1)
            # An empty value is reported where its name stands.
            entries[name] = Node(entry.value, key.start_mark.line + 1 if entry.value is None else entry.line)
        return Node(entries, line)
    if isinstance(raw, SequenceNode):
        return Node([_node(item, problems, depth + 1) for item in raw.value], line)
    return Node(_scalar(raw), line)


_FOLD = "\a"
"""What ruamel leaves in a folded scalar where it joined two lines."""


def _scalar(raw: ScalarNode) -> Scalar:
    kind = str(raw.tag).rpartition(":")[2]
    parse: Callable[[str], Scalar] | None = {
        "int": lambda text: int(text, 0) if text.lstrip("+-")[:2] in ("0x", "0o") else int(text),
        "float": _decimal,
        "bool": lambda text: text.lower() == "true",
        "null": lambda _: None,
    }.get(kind)
    if parse is None or raw.style:  # quoted scalars are text
        return str(raw.value).replace(_FOLD, "") if raw.style == ">" else str(raw.value)
    return parse(str(raw.value))


def _decimal(text: str) -> Scalar:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    return value if value.is_finite() else text


__all__ = ["Node", "Problem", "Problems", "YamlError", "dump", "load"]
