"""Rules in HL7's FHIRPath, judged over decimals and in three values.

Used for show-if, required-if, checks, pipeline conditions and discrepancy rules. A rule is read, resolved and
type-checked once, when a form or project is published (`compile_rule`); judging it later cannot fail.

A value that is missing, not done, not evaluable or unknown makes a comparison *unknown*, never true or false.
What unknown leads to (hide, require, list, stop) is the caller's decision.

Grammar: the one of FHIRPath 2, from `fhirpathpy`. Its evaluator is not used; `compiler` says why.
"""

from collegium.kit.rules.compiler import Rule, compile_rule, compile_value
from collegium.kit.rules.dates import PartialDate, read_date, span
from collegium.kit.rules.grammar import RESERVED, RuleError
from collegium.kit.rules.values import Absent, Answer, ItemType, Known, ValueType, Verdict

__all__ = [
    "RESERVED",
    "Absent",
    "Answer",
    "ItemType",
    "Known",
    "PartialDate",
    "Rule",
    "RuleError",
    "ValueType",
    "Verdict",
    "compile_rule",
    "compile_value",
    "read_date",
    "span",
]
