"""A picture inside its page: it shows identity, so it gets no address of its own and is kept nowhere."""

import base64


def inline(png: bytes) -> str:
    """The picture as an address; empty where there is none."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}" if png else ""
