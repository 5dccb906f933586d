"""What a version must be able to do on this machine before it may replace the one that runs.

Needs no journal, no key and no network, and changes nothing: an invented object is cleaned, looked at
and searched, and bytes are sealed and opened.
"""

import secrets
from collections.abc import Iterator
from importlib.resources import files

from collegium_connect.errors import ConnectError
from collegium_connect.invented import NAME, invented_object
from collegium_connect.sealed import seal, unseal
from collegium_deid import (
    DeidError,
    Recipe,
    SiteKey,
    clean_object,
    identifiers_of,
    load_recipe,
    verify_against,
    verify_conformance,
)
from collegium_deid.pixels import clean_pixels
from collegium_deid.pixels.try_out import try_codecs

_PAGE = (("templates", "base.html"), ("static", "style.css"))


class SelfTestFailed(ConnectError):
    code = "connect.self_test.failed"
    message = "This version does not work on this machine."


def self_test() -> Iterator[str]:
    """Do everything once; says what was done, one sentence each.

    Raises:
        SelfTestFailed: something does not work; nothing was changed.
    """
    try:
        clean_invented(load_recipe("trial"))
    except (DeidError, OSError, ImportError, ValueError) as error:
        raise SelfTestFailed("An invented object could not be cleaned.") from error
    yield "An invented object was cleaned, looked at and searched."
    try:
        try_codecs()
    except (DeidError, OSError, ImportError) as error:
        raise SelfTestFailed("A codec for compressed pictures does not work.") from error
    yield "Compressed pictures could be written and read."
    data, key = secrets.token_bytes(10_000), secrets.token_bytes(32)
    if unseal(key, "self-test", b"".join(seal(key, "self-test", data))) != data:
        raise SelfTestFailed("What was sealed could not be opened.")
    yield "What was sealed could be opened."
    page = files("collegium_connect.local_ui")
    if not all(page.joinpath(*name).is_file() for name in _PAGE):
        raise SelfTestFailed("Files of the local page are missing.")
    yield "The local page is complete."


def clean_invented(recipe: Recipe) -> None:
    """Clean an invented object in memory and look for what must be gone.

    Raises:
        DeidError: it cannot be cleaned by this recipe.
        SelfTestFailed: it was cleaned otherwise than the recipe says.
    """
    data = invented_object()
    cleaned = clean_object(
        data, recipe=recipe, key=SiteKey(secrets.token_bytes(32)), subject="TEST-001", complete=True
    )
    found = clean_pixels(data, cleaned, recipe=recipe)
    verify_against(identifiers_of(data), found.head)
    if verify_conformance(recipe, found.head) or NAME.encode() in found.head:
        raise SelfTestFailed("An invented object was not cleaned as its recipe says.")
