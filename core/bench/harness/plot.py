"""A plot of the ratios and their bars, as an SVG."""

from html import escape
from math import log2

from harness.cases import COSTS, Bar, Case
from harness.servers import SERVERS
from harness.stats import Ratio

ROW, LABEL, WIDTH = 26, 470, 430
# Costs are shown as what they save: the longer, the better, for all rows.
LEFT, RIGHT = -1.0, 5.0  # powers of two


def svg(rows: list[tuple[Case, Bar, Ratio]]) -> str:
    height = ROW * (len(rows) + 3)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABEL + WIDTH + 90}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="12" y="{ROW - 6}" font-weight="bold">Times as good as the peer '
        "(bar: median, whisker: 95 %, tick: must be reached)</text>",
    ]
    for power in range(int(LEFT), int(RIGHT) + 1):
        x = _x(2.0**power)
        color = "#888" if power == 0 else "#ddd"
        parts.append(f'<line x1="{x}" x2="{x}" y1="{ROW}" y2="{height - ROW}" stroke="{color}"/>')
        parts.append(f'<text x="{x}" y="{height - ROW + 16}" text-anchor="middle">{2.0**power:g}</text>')
    for number, row in enumerate(rows):
        parts += _row(ROW * (number + 1) + 4, *row)
    return "\n".join([*parts, "</svg>\n"])


def _row(y: int, case: Case, bar: Bar, found: Ratio) -> list[str]:
    value, low, high = (_better(bar, number) for number in (found.value, found.low, found.high))
    must = _better(bar, bar.must or 1)
    color = "#60a97c" if max(low, high) >= must else "#d0806f"
    label = escape(f"{case.title}: {bar.metric} / {SERVERS[bar.peer].title.replace('`', '')}")
    start, end = sorted((_x(1), _x(value)))
    middle = y + ROW // 2 - 2
    return [
        f'<text x="{LABEL - 8}" y="{middle + 4}" text-anchor="end">{label}</text>',
        f'<rect x="{start}" y="{y + 2}" width="{max(end - start, 1):.1f}" height="{ROW - 9}" fill="{color}"/>',
        f'<line x1="{_x(low)}" x2="{_x(high)}" y1="{middle}" y2="{middle}" stroke="#222"/>',
        f'<line x1="{_x(must)}" x2="{_x(must)}" y1="{y}" y2="{y + ROW - 5}" stroke="#000" stroke-width="2"/>',
        f'<text x="{LABEL + WIDTH + 8}" y="{middle + 4}">{value:.2f}</text>',
    ]


def _better(bar: Bar, number: float) -> float:
    return 1 / number if bar.metric in COSTS else number


def _x(number: float) -> float:
    power = min(max(log2(number), LEFT), RIGHT)
    return round(LABEL + (power - LEFT) / (RIGHT - LEFT) * WIDTH, 1)
