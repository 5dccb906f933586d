"""Turn a parsed rule into typed steps that cannot fail when it is judged.

Why not `fhirpathpy`'s evaluator (2.2.4, each shown by a test): two whole-number literals divide into a
binary float (`1 / 10 = 0.1` is false), minus before a missing value raises, `|` drops equal values before a
sum, `round` goes to the even neighbour, and `now()` is kept in a module global. The grammar, the operators,
their precedence and their three-valued tables stay FHIRPath's; the tests hold the two evaluators against each
other where the package is right.

Left out on purpose: `&`, `~`, `is`, `as`, indexers, `where`, `$this`, quantities, times, and `now()`, so that
a rule means the same for every reader on every day.
"""

import decimal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from collegium.kit.rules import dates
from collegium.kit.rules import operators as ops
from collegium.kit.rules.grammar import Node, RuleError, column, kind, parse
from collegium.kit.rules.values import Answer, ItemType, Known, ValueType, Verdict

MAX_DEPTH = 80  # operators on top of one another; far below Python's own limit
PRECISION = decimal.Context(
    prec=28,
    rounding=decimal.ROUND_HALF_UP,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)

Answers: TypeAlias = Mapping[str, Answer]
Step: TypeAlias = Callable[[Answers], Known | None]
ManyStep: TypeAlias = Callable[[Answers], list[Known] | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A published rule. `names` are the items it reads, in the order of the text.

    `codes` are all values it can give, where the text says so: codes of items and fixed texts; else empty.
    """

    text: str
    type: ValueType
    names: tuple[str, ...]
    codes: frozenset[str]
    _step: Step

    def judge(self, answers: Answers) -> Verdict:
        """The verdict of a true-or-false rule. Items not in `answers` are missing; never raises on values."""
        value = self.value(answers)
        if value is None:
            return Verdict.UNKNOWN
        return Verdict.TRUE if value is True else Verdict.FALSE

    def value(self, answers: Answers) -> Known | None:
        """The computed value, None when unknown (also for 1/0 and results beyond 28 digits of range)."""
        with decimal.localcontext(PRECISION):
            try:
                return self._step(answers)
            except ArithmeticError:
                return None


@dataclass(frozen=True, slots=True)
class _Typed:
    type: ValueType
    step: Step
    literal: Known | None = None
    codes: frozenset[str] = frozenset()


def compile_rule(text: str, items: Mapping[str, ItemType]) -> Rule:
    """Read and type-check a rule whose answer is true or false.

    Raises:
        RuleError: it cannot be read, names an unknown item or code, or mixes types; its message says which.
    """
    rule = compile_value(text, items)
    if rule.type is not ValueType.BOOLEAN:
        raise RuleError(text, f"The rule gives {rule.type.value}; it must be true or false")
    return rule


def compile_value(text: str, items: Mapping[str, ItemType]) -> Rule:
    """Like `compile_rule`, for a computed value of any type."""
    return _compiled(text, tuple(sorted(items.items())))


@lru_cache(maxsize=4096)
def _compiled(text: str, items: tuple[tuple[str, ItemType], ...]) -> Rule:
    compiler = _Compiler(text, dict(items))
    root = compiler.expression(parse(text), depth=0)
    return Rule(text, root.type, tuple(compiler.names), root.codes, root.step)


class _Compiler:
    def __init__(self, text: str, items: Mapping[str, ItemType]) -> None:
        self.text, self.items = text, items
        self.names: dict[str, None] = {}

    def fail(self, node: Node, message: str) -> RuleError:
        return RuleError(self.text, message, column(node))

    # ---- expressions

    def expression(self, node: Node, depth: int) -> _Typed:
        if depth > MAX_DEPTH:
            raise self.fail(node, "The rule is nested too deep")
        name = kind(node)
        if name == "TermExpression":
            return self.term(node.term(), depth + 1)
        build = _EXPRESSIONS.get(name)
        if build is None:
            raise self.fail(node, f"“{_sign(node)}” is not used in these rules")
        return build(self, node, depth + 1)

    def term(self, node: Node, depth: int) -> _Typed:
        match kind(node):
            case "ParenthesizedTerm":
                return self.expression(node.expression(), depth)
            case "LiteralTerm":
                return self.literal(node.literal())
            case "InvocationTerm":
                inner = node.invocation()
                if kind(inner) == "MemberInvocation":
                    return self.item(inner, _name(inner))
                if kind(inner) == "FunctionInvocation":
                    return self.function(inner.functn(), None, depth)
        raise self.fail(node, f"“{node.getText()}” is not used in these rules")

    def literal(self, node: Node) -> _Typed:
        words = node.getText()
        match kind(node):
            case "NumberLiteral":
                return _constant(ValueType.NUMBER, Decimal(words))
            case "BooleanLiteral":
                return _constant(ValueType.BOOLEAN, words == "true")
            case "StringLiteral":
                if "\\" in words:
                    raise self.fail(node, "Write the text without a backslash")
                return _Typed(ValueType.TEXT, _always(words[1:-1]), words[1:-1], frozenset({words[1:-1]}))
            case "DateTimeLiteral":
                try:
                    return _constant(ValueType.DATE, date.fromisoformat(words[1:]))
                except ValueError:
                    raise self.fail(node, "A date is written @2026-01-31") from None
            case "QuantityLiteral":
                raise self.fail(node, "Write the number without its unit; the item has the unit")
        raise self.fail(node, f"“{words}” is not used in these rules")

    def item(self, node: Node, name: str) -> _Typed:
        known = self.items.get(name)
        if known is None:
            raise self.fail(node, f"There is no item “{name}”; there are {_list(self.items)}")
        if known.repeated:
            raise self.fail(node, f"“{name}” is a list; use sum, min, max, avg, count or contains with it")
        self.names[name] = None
        return _Typed(known.type, ops.single(name), codes=known.codes)

    def polarity(self, node: Node, depth: int) -> _Typed:
        value = self.of_type(node.expression(), ValueType.NUMBER, depth)
        if _sign(node) == "+":
            return value
        return _Typed(ValueType.NUMBER, ops.applied(ops.negative, value.step))

    def arithmetic(self, node: Node, depth: int) -> _Typed:
        sign = _sign(node)
        function = ops.ARITHMETIC.get(sign)
        if function is None:
            raise self.fail(node, f"“{sign}” is not used in these rules")
        left, right = (self.of_type(side, ValueType.NUMBER, depth) for side in node.expression())
        return _Typed(ValueType.NUMBER, ops.applied(function, left.step, right.step))

    def comparison(self, node: Node, depth: int) -> _Typed:
        sign = _sign(node)
        function = ops.COMPARISONS.get(sign)
        if function is None:
            raise self.fail(node, f"“{sign}” is not used in these rules; use = or !=")
        left, right = self.pair(node, depth)
        if sign not in ("=", "!=") and left.type in (ValueType.CODE, ValueType.BOOLEAN, ValueType.TEXT):
            raise self.fail(node, f"“{sign}” compares numbers and dates, not {left.type.value}")
        if left.type is ValueType.DATE:
            function = dates.COMPARISONS[sign]
        return _Typed(ValueType.BOOLEAN, ops.applied(function, left.step, right.step))

    def logic(self, node: Node, depth: int) -> _Typed:
        left, right = (self.of_type(side, ValueType.BOOLEAN, depth) for side in node.expression())
        return _Typed(ValueType.BOOLEAN, ops.LOGIC[_sign(node)](left.step, right.step))

    def membership(self, node: Node, depth: int) -> _Typed:
        value_node, list_node = node.expression()
        if _sign(node) == "contains":
            value_node, list_node = list_node, value_node
        value = self.expression(value_node, depth)
        if value.type is ValueType.DATE:
            raise self.fail(node, "Compare dates with = and or; a list does not take them")
        name = _name(list_node)
        if name in self.items and self.items[name].repeated:
            item = self.items[self.item_name(list_node)]
            self.same_type(node, value, _Typed(item.type, ops.single(name), codes=item.codes))
            return _Typed(ValueType.BOOLEAN, ops.held(name, value.step))
        members = [self.expression(member, depth) for member in _union(list_node)]
        for member in members:
            if member.literal is None:
                raise self.fail(list_node, "Write the list as ('a' | 'b') of fixed values")
            self.same_type(node, value, member)
        fixed = frozenset(m.literal for m in members if m.literal is not None)
        return _Typed(ValueType.BOOLEAN, ops.applied(fixed.__contains__, value.step))

    # ---- names and functions

    def invocation(self, node: Node, depth: int) -> _Typed:
        last = node.invocation()
        if kind(last) == "MemberInvocation":
            return self.item(node, node.getText().replace("`", ""))
        if kind(last) == "FunctionInvocation":
            return self.function(last.functn(), node.expression(), depth)
        raise self.fail(node, f"“{last.getText()}” is not used in these rules")

    def function(self, node: Node, subject: Node | None, depth: int) -> _Typed:
        name = node.identifier().getText()
        parameters: Sequence[Node] = node.paramList().expression() if node.paramList() else ()
        if name == "count":
            return self.count(node, [*([subject] if subject else []), *parameters])
        if name in ops.AGGREGATES:
            return self.aggregate(node, name, [*([subject] if subject else []), *parameters], depth)
        build = (_FUNCTIONS if subject is None else _METHODS).get(name)
        if build is None:
            raise self.fail(node, f"There is no function “{name}” here; there are {_list(ops.FUNCTIONS)}")
        return build(self, node, subject, parameters, depth)

    def presence(self, node: Node, subject: Node, parameters: Sequence[Node], _depth: int) -> _Typed:
        self.arity(node, parameters, 0)
        name = node.identifier().getText()
        return _Typed(ValueType.BOOLEAN, ops.PRESENCE[name](self.item_name(subject)))

    def negation(self, node: Node, subject: Node, parameters: Sequence[Node], depth: int) -> _Typed:
        self.arity(node, parameters, 0)
        step = self.of_type(subject, ValueType.BOOLEAN, depth).step
        return _Typed(ValueType.BOOLEAN, ops.applied(ops.negation, step))

    def absolute(self, node: Node, subject: Node, parameters: Sequence[Node], depth: int) -> _Typed:
        self.arity(node, parameters, 0)
        step = self.of_type(subject, ValueType.NUMBER, depth).step
        return _Typed(ValueType.NUMBER, ops.applied(ops.absolute, step))

    def days(self, node: Node, _subject: Node, parameters: Sequence[Node], depth: int) -> _Typed:
        self.arity(node, parameters, 2)
        first, last = (self.of_type(p, ValueType.DATE, depth).step for p in parameters)
        return _Typed(ValueType.NUMBER, ops.applied(ops.days_between, first, last))

    def aggregate(self, node: Node, name: str, parts: Sequence[Node], depth: int) -> _Typed:
        if not parts:
            raise self.fail(node, f"“{name}” needs at least one item: {name}(a, b)")
        return _Typed(
            ValueType.NUMBER, ops.aggregated(ops.AGGREGATES[name], [self.many(p, depth) for p in parts])
        )

    def count(self, node: Node, parts: Sequence[Node]) -> _Typed:
        if len(parts) != 1 or not self.items[name := self.item_name(parts[0])].repeated:
            raise self.fail(node, "“count” takes one list: count(targets)")
        return _Typed(ValueType.NUMBER, ops.counted(name))

    def many(self, node: Node, depth: int) -> ManyStep:
        name = node.getText().replace("`", "")
        item = self.items.get(name)
        if item is not None and item.repeated:
            if item.type is not ValueType.NUMBER:
                raise self.fail(node, f"“{name}” is a list of {item.type.value}; numbers are needed")
            self.names[name] = None
            return ops.repeated(name)
        return ops.as_list(self.of_type(node, ValueType.NUMBER, depth).step)

    def rounded(self, node: Node, subject: Node, parameters: Sequence[Node], depth: int) -> _Typed:
        self.arity(node, parameters, 1)
        places = self.expression(parameters[0], depth).literal
        if not isinstance(places, Decimal) or places not in range(13):
            raise self.fail(node, "The number of decimals is a whole number from 0 to 12")
        step = self.of_type(subject, ValueType.NUMBER, depth).step
        return _Typed(ValueType.NUMBER, ops.applied(ops.rounding(int(places)), step))

    def choice(self, node: Node, _subject: Node, parameters: Sequence[Node], depth: int) -> _Typed:
        self.arity(node, parameters, 3)
        condition = self.of_type(parameters[0], ValueType.BOOLEAN, depth)
        yes, no = (self.expression(p, depth) for p in parameters[1:])
        words = {ValueType.CODE, ValueType.TEXT}
        if yes.type is not no.type and {yes.type, no.type} != words:
            raise self.fail(node, f"iif gives {yes.type.value} or {no.type.value}; both must be alike")
        value_type = yes.type if yes.type is no.type else ValueType.TEXT
        codes = yes.codes | no.codes if yes.codes and no.codes else frozenset[str]()
        return _Typed(value_type, ops.either(condition.step, yes.step, no.step), codes=codes)

    # ---- types

    def item_name(self, node: Node) -> str:
        name = node.getText().replace("`", "")
        if name not in self.items:
            raise self.fail(node, f"There is no item “{name}”; there are {_list(self.items)}")
        self.names[name] = None
        return str(name)

    def of_type(self, node: Node, wanted: ValueType, depth: int) -> _Typed:
        found = self.expression(node, depth)
        if found.type is not wanted:
            raise self.fail(node, f"“{node.getText()}” is {found.type.value}; {wanted.value} is needed here")
        return found

    def pair(self, node: Node, depth: int) -> tuple[_Typed, _Typed]:
        left, right = (self.expression(side, depth) for side in node.expression())
        self.same_type(node, left, right)
        return left, right

    def same_type(self, node: Node, left: _Typed, right: _Typed) -> None:
        """Refuse to compare unlike things; a text literal beside a code item must be one of its codes."""
        types = {left.type, right.type}
        if types == {ValueType.CODE, ValueType.TEXT}:
            item, literal = (left, right) if left.type is ValueType.CODE else (right, left)
            if literal.literal is None:
                raise self.fail(node, "A code is compared with one of its codes, not with a text item")
            if item.codes and literal.literal not in item.codes:
                raise self.fail(node, f"“{literal.literal}” is not one of the codes {_list(item.codes)}")
        elif len(types) > 1:
            raise self.fail(
                node, f"{left.type.value} cannot be compared with {right.type.value}".capitalize()
            )

    def arity(self, node: Node, parameters: Sequence[Node], wanted: int) -> None:
        if len(parameters) != wanted:
            name = node.identifier().getText()
            raise self.fail(node, f"“{name}” takes {wanted} values in brackets, here are {len(parameters)}")


_EXPRESSIONS: dict[str, Callable[[_Compiler, Node, int], _Typed]] = {
    "InvocationExpression": _Compiler.invocation,
    "PolarityExpression": _Compiler.polarity,
    "AdditiveExpression": _Compiler.arithmetic,
    "MultiplicativeExpression": _Compiler.arithmetic,
    "InequalityExpression": _Compiler.comparison,
    "EqualityExpression": _Compiler.comparison,
    "AndExpression": _Compiler.logic,
    "OrExpression": _Compiler.logic,
    "ImpliesExpression": _Compiler.logic,
    "MembershipExpression": _Compiler.membership,
}
_Builder: TypeAlias = Callable[[_Compiler, Node, Node, Sequence[Node], int], _Typed]
_METHODS: dict[str, _Builder] = {
    **dict.fromkeys(ops.PRESENCE, _Compiler.presence),
    "not": _Compiler.negation,
    "abs": _Compiler.absolute,
    "round": _Compiler.rounded,
}
_FUNCTIONS: dict[str, _Builder] = {"iif": _Compiler.choice, "daysBetween": _Compiler.days}


def _constant(value_type: ValueType, value: Known) -> _Typed:
    return _Typed(value_type, _always(value), literal=value)


def _always(value: Known) -> Step:
    return lambda _answers: value


def _sign(node: Node) -> str:
    """The operator of an expression: the first child that is a token, not a rule of the grammar."""
    return next((str(c.getText()) for c in node.getChildren() if not hasattr(c, "start")), node.getText())


def _name(node: Node) -> str:
    return str(node.getText()).replace("`", "")


def _union(node: Node) -> list[Node]:
    while kind(node) == "TermExpression" and kind(node.term()) == "ParenthesizedTerm":
        node = node.term().expression()
    if kind(node) == "UnionExpression":
        return [part for side in node.expression() for part in _union(side)]
    return [node]


def _list(names: Sequence[str] | frozenset[str] | Mapping[str, object]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:12]) + (" …" if len(shown) > 12 else "") if shown else "none"
