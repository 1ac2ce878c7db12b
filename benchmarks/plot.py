"""Lines in a chart as SVG, both axes logarithmic, legible in light and dark; no library for so little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

_WIDTH, _HEIGHT, _GAP = 300, 220, 70
_COLOURS = ("#0b6e8a", "#b3541e", "#6a51a3")
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}line{stroke:#ccc}.h{font-weight:600}"
    "polyline{fill:none;stroke-width:2}"
    "@media (prefers-color-scheme:dark){text{fill:#ddd}line{stroke:#555}}"
)

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: its lines by name."""

    title: str
    across: str
    lines: Mapping[str, Points]


def svg(panels: Sequence[Panel], description: str) -> str:
    """The panels side by side."""
    width, height = len(panels) * (_WIDTH + _GAP) + 20, _HEIGHT + 110
    drawn = "\n".join(_panel(panel, _GAP + number * (_WIDTH + _GAP)) for number, panel in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f"<title>{escape(description)}</title><style>{_STYLE}</style>\n{drawn}\n</svg>\n"
    )


def _panel(panel: Panel, left: float) -> str:
    points = [point for line in panel.lines.values() for point in line]
    across = _Axis([x for x, _ in points], left, left + _WIDTH)
    up = _Axis([y for _, y in points], 40 + _HEIGHT, 40)
    parts = [f'<text class="h" x="{left}" y="20">{escape(panel.title)}</text>']
    for value in up.ticks:
        y = up.at(value)
        parts.append(f'<line x1="{left}" x2="{left + _WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(value)}</text>')
    for value in across.ticks:
        parts.append(f'<text x="{across.at(value):.1f}" y="{_HEIGHT + 58}" text-anchor="middle">{_short(value)}</text>')
    parts.append(f'<text x="{left + _WIDTH / 2}" y="{_HEIGHT + 76}" text-anchor="middle">{escape(panel.across)}</text>')
    for number, (name, line) in enumerate(panel.lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{path}" stroke="{colour}"/>')
        parts += [f'<circle cx="{across.at(x):.1f}" cy="{up.at(y):.1f}" r="3" fill="{colour}"/>' for x, y in line]
        x = left + number * _WIDTH / 3
        parts.append(f'<circle cx="{x + 4:.1f}" cy="{_HEIGHT + 92}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 14:.1f}" y="{_HEIGHT + 96}">{escape(name)}</text>')
    return "\n".join(parts)


class _Axis:
    """Values on a logarithmic scale -> pixels, with ticks at 1, 2 and 5 of each power of ten."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        powers = range(floor(log10(min(values))), ceil(log10(max(values))) + 1)
        steps = [factor * 10**power for power in powers for factor in (1, 2, 5)]
        low = max(step for step in steps if step <= min(values))
        high = min(step for step in [*steps, 10 ** (powers[-1] + 1)] if step >= max(values))
        high = high if high > low else low * 10
        self._low, self._span = log10(low), log10(high) - log10(low)
        self._start, self._end = start, end
        inside = [step for step in steps if low <= step <= high]
        self.ticks = inside if len(inside) <= 7 else [step for step in inside if log10(step).is_integer()]

    def at(self, value: float) -> float:
        return self._start + (log10(value) - self._low) / self._span * (self._end - self._start)


def _short(value: float) -> str:
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
