"""Rows of the table of `benchmarks/deid.py`: ours beside the best peer, and what must hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `ratio`: how many times better ours is, where that means something."""

    metric: str
    ours: float
    unit: str
    target: str
    holds: bool
    peer: float | None = None
    peer_name: str = ""
    ratio: float | None = None
    note: str = ""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def show(rows: list[Row]) -> None:
    """Print them under each other, the notes below."""
    names = ("what", "ours", "peer", "ratio", "target", "holds")
    lines = [names, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    print()
    for row in rows:
        if row.note:
            print(f"{row.metric}: {row.note}")


def _cells(row: Row) -> tuple[str, ...]:
    peer = "not run here" if row.peer is None and row.peer_name else _number(row.peer)
    name = f" ({row.peer_name})" if row.peer_name else ""
    ratio = f"{row.ratio:.1f}x" if row.ratio is not None else ""
    return (
        row.metric,
        f"{_number(row.ours)} {row.unit}".strip(),
        peer + name,
        ratio,
        row.target,
        "yes" if row.holds else "NO",
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if value < 1000 else f"{value:.0f}"
