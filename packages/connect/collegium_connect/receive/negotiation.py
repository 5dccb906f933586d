"""Which kinds of object a channel takes, in which transfer syntax: one presentation context after the other."""

from typing import Final

from collegium_connect.receive import dimse
from collegium_connect.receive.pdu import Context, ContextResult, ProposedContext
from collegium_connect.selection import KEY_OBJECTS
from collegium_wire import ChannelSetup

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
# Storage classes that the standard numbers elsewhere (PS3.6 Table A-1).
_STORAGE_ELSEWHERE: Final = ("1.2.840.10008.5.1.4.34.7", "1.2.840.10008.5.1.4.34.10")
_STANDARD: Final = "1.2.840.10008."
IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
_EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"


def negotiate(proposed: ProposedContext, setup: ChannelSetup) -> Context:
    """Answer one presentation context: verification, storage, and storage commitment where the channel has it.

    Where the channel names no storage classes, whatever the standard or a maker stores is taken. An
    object of a kind that no recipe cleans is taken too: it goes to quarantine, where a person sees
    it, rather than stay unsent at the PACS where nobody does.
    """
    name = proposed.abstract_syntax
    if not _is_offered(name, setup):
        return Context(proposed.context_id, ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED, name, "")
    syntax = _choose(proposed.transfer_syntaxes, only_native=not is_storage(name))
    result = ContextResult.ACCEPTED if syntax else ContextResult.TRANSFER_SYNTAXES_NOT_SUPPORTED
    return Context(proposed.context_id, result, name, syntax)


def is_storage(name: str) -> bool:
    """Whether a SOP class is one of storage: the standard's, or any of a maker."""
    if name.startswith(_STANDARD):
        return name.startswith(_STORAGE) or name in _STORAGE_ELSEWHERE
    return bool(name)


def _is_offered(name: str, setup: ChannelSetup) -> bool:
    if name == dimse.VERIFICATION:
        return True
    if name == dimse.STORAGE_COMMITMENT:
        return setup.storage_commitment
    if name == KEY_OBJECTS and setup.selected_only:
        return True  # else no export manifest could come, and nothing would ever leave
    return is_storage(name) and (not setup.storage_classes or name in setup.storage_classes)


def _choose(offered: tuple[str, ...], *, only_native: bool) -> str:
    """The sender's first choice among the standard's syntaxes, but explicit VR before implicit, big endian last."""
    known = [syntax for syntax in offered if is_standard(syntax)]
    if only_native:
        return next((syntax for syntax in (EXPLICIT_LITTLE, IMPLICIT_LITTLE) if syntax in known), "")
    if not known:
        return ""
    if known[0] in {IMPLICIT_LITTLE, _EXPLICIT_BIG}:
        return next((syntax for syntax in (EXPLICIT_LITTLE, IMPLICIT_LITTLE) if syntax in known), known[0])
    return known[0]


def is_standard(syntax: str) -> bool:
    """Whether a transfer syntax is the standard's."""
    return syntax == IMPLICIT_LITTLE or syntax.startswith(f"{IMPLICIT_LITTLE}.")
