"""The local audit trail: who did what, when and why, each entry chained to the one before.

`Trail.note` writes an entry in the transaction of the change it tells of; `verify` recomputes the chain.
`for_the_server` is what the platform may keep of it.
An entry names accounts, references and codes. The words of a reason are a person's own, so they are
sealed: they are shown to signed-in people and never leave.
"""

from collegium_connect.trail.chain import Verdict, verify
from collegium_connect.trail.salvage import bring_over
from collegium_connect.trail.trail import Line, Trail, for_the_server
from collegium_connect.trail.words import words_of

__all__ = ["Line", "Trail", "Verdict", "bring_over", "for_the_server", "verify", "words_of"]
