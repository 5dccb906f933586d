"""Values of a project file that forms and pipelines write alike: labels, names, rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from collegium.kit.rules import RESERVED, RuleError, compile_rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collegium.forms.definition import Labels
    from collegium.kit.rules import ItemType
    from collegium.kit.yaml import Node

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")


def read_labels(node: Node) -> Labels:
    """A language map: `{en: …, sv: …}`, at least one language."""
    labels = {}
    for language, text in node.mapping().items():
        if not _LANGUAGE.fullmatch(language):
            raise text.fault(f"“{language}” is not a language code such as en or sv.")
        labels[language] = text.text()
    if not labels:
        raise node.fault("At least one language is needed: {en: …}.")
    return labels


def read_name(name: str, node: Node) -> str:
    """A name that rules can use."""
    if not NAME.fullmatch(name):
        raise node.fault(f"“{name}” must be small letters, digits and _, starting with a letter.")
    if name in RESERVED:
        raise node.fault(f"“{name}” is a word of the rule language. Choose another name.")
    return name


def read_rule(node: Node, items: Mapping[str, ItemType]) -> str:
    """A rule that is true or false, checked against the items it may use."""
    text = node.text(longest=2000)
    try:
        compile_rule(text, items)
    except RuleError as error:
        raise node.fault(f"{error}.") from error
    return text
