"""What a look at one thing found, and what would have been enough."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    GOOD = "good"
    SHORT = "short"
    """Less than the published minimum, or not as it should be."""
    UNKNOWN = "unknown"
    """It could not be found out."""


@dataclass(frozen=True)
class Finding:
    """One line of the report; no word in it identifies a patient."""

    about: str
    verdict: Verdict
    found: str
    needed: str
    advice: str = ""
    """What to do, where it is not good."""


def judge(about: str, *, is_good: bool, found: str, needed: str, advice: str) -> Finding:
    """Good or short; the advice is only for what is short."""
    return Finding(
        about, Verdict.GOOD if is_good else Verdict.SHORT, found, needed, "" if is_good else advice
    )


def unknown(about: str, why: str, needed: str, advice: str = "") -> Finding:
    return Finding(about, Verdict.UNKNOWN, why, needed, advice)
