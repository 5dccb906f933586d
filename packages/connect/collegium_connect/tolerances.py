"""How far something may be off before a person hears of it, by an alarm and from the doctor alike."""

from typing import Final

CLOCK_S: Final = 60.0
"""This machine's clock against the server's."""
CERTIFICATE_DAYS: Final = 14
"""What is left of a certificate."""
