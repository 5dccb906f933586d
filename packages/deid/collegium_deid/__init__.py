"""De-identify DICOM by recipe. Pure Python; no network, no database.

Clean:

* `load_recipe`, `parse_recipe` -> `Recipe`: what shall happen, versioned, with a digest.
* `looser_than(before, after)`: where another recipe lets more pass, in words.
* `SiteKey`: 32 secret bytes from which new UIDs and date offsets follow.
* `prepare(data)`: a deflated or big endian file as one that can be read; any other as it is.
* `clean_object(head, recipe=, key=, subject=, complete=)` -> `Cleaned`: a new header; raises
  `NeedMoreBytes` while the header is cut, `Rejected` when it cannot be cleaned with certainty.
  `subject` is a code, or a function from the local id to one.
* `PixelPassage(cleaned)`: lets the untouched pixel bytes through and nothing that lies behind them.

Verify, with code of its own:

* `identifiers_of(head)` -> `Identifiers`, `verify_against(identifiers, output_head)`: where the input is.
* `verify_conformance(recipe, output_head)` -> `Finding`s: where only the output is.

Read: `parse_file(buf, complete=)` -> `FileHead` of `Element`s, without any recipe; `local_id_of(head)`.

Every error is a `DeidError` with a stable `code` and a message free of any value of a header.
"""

from collegium_deid.engine.clean import Cleaned, clean_object, local_id_of
from collegium_deid.engine.convert import prepare
from collegium_deid.engine.elements import Element, FileHead, parse_file
from collegium_deid.engine.passage import PixelPassage
from collegium_deid.errors import DeidError, NeedMoreBytes, RecipeError, Rejected
from collegium_deid.keys import SiteKey
from collegium_deid.report import Report
from collegium_deid.rules.compare import looser_than
from collegium_deid.rules.recipe import Recipe, load_recipe, parse_recipe
from collegium_deid.verify.against import verify_against
from collegium_deid.verify.conformance import verify_conformance
from collegium_deid.verify.identifiers import Identifiers, identifiers_of
from collegium_deid.verify.judge import Finding

__all__ = [
    "Cleaned",
    "DeidError",
    "Element",
    "FileHead",
    "Finding",
    "Identifiers",
    "NeedMoreBytes",
    "PixelPassage",
    "Recipe",
    "RecipeError",
    "Rejected",
    "Report",
    "SiteKey",
    "clean_object",
    "identifiers_of",
    "load_recipe",
    "local_id_of",
    "looser_than",
    "parse_file",
    "parse_recipe",
    "prepare",
    "verify_against",
    "verify_conformance",
]
