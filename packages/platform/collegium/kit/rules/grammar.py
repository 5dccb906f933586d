"""Read the text of a rule strictly, by the FHIRPath grammar that `fhirpathpy` ships.

`fhirpathpy.parse` is not called: it drops whatever follows a complete expression (`a b` is read as `a`) and
accepts a missing operand (`a >`). Here the whole text must be one expression, and each fault has its column.
"""

from typing import Any, NoReturn

from antlr4 import CommonTokenStream, InputStream  # type: ignore[import-untyped]  # no stubs on the index
from antlr4.error.ErrorListener import ErrorListener  # type: ignore[import-untyped]  # the same
from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser

MAX_LENGTH = 2000  # a rule is read by people; longer text is a mistake or an attack on the parser

RESERVED = frozenset(
    f"{unit}{many}"
    for unit in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for many in ("", "s")
) | {"and", "or", "xor", "implies", "div", "mod", "in", "is", "as", "contains", "true", "false"}
"""Words of the grammar that an item cannot be called without quoting."""

Node = Any  # antlr4 ships no types; nodes are told apart by the class names of the grammar


class RuleError(ValueError):
    """A rule that cannot be published, said in words for its author. `column` counts from 1."""

    def __init__(self, text: str, message: str, column: int = 1) -> None:
        super().__init__(f"{message} (at character {column} of “{text.strip()}”)")
        self.text, self.reason, self.column = text, message, column


class _Strict(ErrorListener):  # type: ignore[misc]  # antlr4 ships no types
    def __init__(self, text: str) -> None:
        self._text = text

    def syntaxError(  # noqa: N802  # antlr4's name
        self, _recognizer: object, symbol: Any, _line: int, column: int, _message: str, _e: object
    ) -> NoReturn:
        # `symbol` is an antlr4 token, untyped; the lexer reports none.
        seen = getattr(symbol, "text", None)
        if seen == "<EOF>":
            raise RuleError(self._text, "The rule ends too early", column + 1)
        what = f"“{seen}” is not expected here" if seen else "This character is not expected here"
        raise RuleError(self._text, what, column + 1)


def parse(text: str) -> Node:
    """The root expression of `text`.

    Raises:
        RuleError: the text is not exactly one FHIRPath expression.
    """
    if not text.strip():
        raise RuleError(text, "The rule is empty")
    if len(text) > MAX_LENGTH:
        raise RuleError(text[:40] + "…", f"The rule is longer than {MAX_LENGTH} characters")
    text = " ".join(text.splitlines())  # so that a column is a place in the whole text
    listener = _Strict(text)
    lexer: Node = FHIRPathLexer(InputStream(text))
    lexer.removeErrorListeners()
    lexer.addErrorListener(listener)
    parser: Node = FHIRPathParser(CommonTokenStream(lexer))
    parser.removeErrorListeners()
    parser.addErrorListener(listener)
    try:
        return parser.entireExpression().expression()
    except RecursionError:
        raise RuleError(text, "The rule is nested too deep") from None


def kind(node: Node) -> str:
    """The grammar's name of a node: `AndExpression`, `NumberLiteral`…"""
    return type(node).__name__.removesuffix("Context")


def column(node: Node) -> int:
    return int(node.start.column) + 1
