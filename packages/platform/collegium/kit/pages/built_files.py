"""The built front end as it is served: what is gone is not found, and the version before can still be asked for.

A page that is open while the installation is upgraded goes on asking for the files that it was made with. Each start
keeps a copy of its own files; the copies of this version and of the one before stay, older ones go.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]  # ships no types

from collegium.kit.pages.kept_files import generations
from collegium.kit.pages.policy import POLICY

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

_PREFIX = "/static/built/"


class BuiltFiles:
    """Serves the files of this version, and those of the version before under the names that only it had."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self.served: Any = WhiteNoiseMiddleware(get_response)  # Any: WhiteNoise is not typed
        self._add_kept()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self._add_new(request.path_info)
        for _attempt in ("its own file", "the copy that the start made of it"):
            try:
                answer: HttpResponse = self.served(request)
            except FileNotFoundError:  # built anew while the server runs
                self.served.files.pop(request.path_info, None)
                self._add_kept()
            else:
                if request.path_info.endswith((".js", ".mjs")):
                    # A worker lives by the policy that its own script came with, not by its page's.
                    answer.headers.setdefault("Content-Security-Policy", POLICY)
                return answer
        return self._get_response(request)

    def _add_new(self, address: str) -> None:
        """A file that was built after the start, when it is asked for."""
        name = address.removeprefix(_PREFIX)
        if address in self.served.files or name == address or "/" in name:
            return
        path = Path(settings.STATICFILES_DIRS[0]) / "built" / name
        if name and path.is_file():
            self.served.add_file_to_dictionary(address, str(path))

    def _add_kept(self) -> None:
        for folder in generations(Path(settings.KEPT_FILES)):
            for path in sorted(folder.iterdir()):
                url = f"{_PREFIX}{path.name}"
                if path.suffix not in {".json", ".gz"} and url not in self.served.files:
                    self.served.add_file_to_dictionary(url, str(path))
