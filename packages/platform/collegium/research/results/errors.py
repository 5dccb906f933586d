"""What can go wrong with results."""

from __future__ import annotations

from django.utils.translation import gettext as _

from collegium.kit.errors import Conflict


class TableTooLarge(Conflict):
    """There are more signed reads than one table holds; nothing was left out to make it fit."""

    code = "research.results.too_large"
    message = "This table has more signed reads than one page or file holds. Nothing was taken out."

    def __init__(self, number: int, most: int) -> None:
        super().__init__(
            _(
                "This table has %(number)d signed reads; one page or file holds %(most)d. Nothing was taken out. "
                "Ask whoever runs the installation."
            )
            % {"number": number, "most": most}
        )
        self.number, self.most = number, most
