"""Draw the states of a task from the table in the code.

    python tools/draw_states.py            write docs/develop/states.md
    python tools/draw_states.py --check    and fail when that page is out of date

Exit status: 0 all well, 1 the page is out of date.
"""

import sys
from collections import defaultdict
from pathlib import Path

from collegium.research.pipeline.states import LIVE, MOVES, TO_DO, Move, TaskState

PAGE = Path(__file__).resolve().parent.parent / "docs" / "develop" / "states.md"
WHO = {
    Move.OPEN: "the pipeline, when the step's condition holds; or a manager, with a reason",
    Move.HOLD: "the pipeline, when an earlier timepoint or step is being corrected, or its visit turns out to be late",
    Move.BEGIN: "its person, by opening it",
    Move.SUBMIT: "its person",
    Move.SIGN: "its person, with the password again",
    Move.CORRECT: "its person, with a reason",
    Move.CANCEL: "the pipeline, when the condition does not hold or what it settles was changed; or a manager",
    Move.REPLACE: "a manager who runs the step again; or the pipeline, when a read that it settles was changed",
}


def page() -> str:
    """The page as the code says it now."""
    return "\n".join(
        [
            "# The states of a task",
            "",
            "Drawn by `tools/draw_states.py` from `research/pipeline/states.py`, the only table of moves. Do not edit.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            "    [*] --> waiting",
            *(f"    {before} --> {after}: {move}" for (before, move), after in MOVES.items()),
            *(f"    {state} --> [*]" for state in TaskState if state not in LIVE),
            "```",
            "",
            "| Move | From | To | Who |",
            "| --- | --- | --- | --- |",
            *_rows(),
            "",
            f"Something is to be done in {_words(TO_DO)}. A task counts in",
            f"{_words(LIVE)}; in the other states it is kept and readable, and another run may have",
            "taken its place.",
            "",
        ]
    )


def _rows() -> list[str]:
    found: dict[tuple[Move, TaskState], list[TaskState]] = defaultdict(list)
    for (before, move), after in MOVES.items():
        found[move, after].append(before)
    return [
        f"| {move} | {_words(before)} | {after} | {WHO[move]} |" for (move, after), before in found.items()
    ]


def _words(states: list[TaskState] | tuple[TaskState, ...]) -> str:
    return ", ".join(f"*{state}*" for state in states)


def main() -> int:
    """Write or check the page."""
    if "--check" not in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    if PAGE.read_text(encoding="utf-8") != page():
        print(f"{PAGE.name} is out of date: run python tools/draw_states.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
