"""Server-rendered SVG charts; the only module that imports the chart library."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from markupsafe import Markup

_STYLE = re.compile(r"<style.*?</style>|<script.*?</script>|<title>Pygal</title>", re.S)
_INLINE = re.compile(r' style="[^"]*"')


@cache
def _library() -> Any:
    """Read for the first chart; starting the house should not wait for it."""
    import pygal

    # It leaves an import hook of the old kind behind, which Python 3.12 no longer calls.
    sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]
    return pygal


def bar_chart(
    labels: Sequence[str], values: Sequence[float], *, title: str, say: Callable[[float], str]
) -> Markup:
    """A bar chart as inline SVG, styled by our own sheet: no inline style, no script.

    Always shown with a table of the same numbers, which is what screen readers read.
    """
    return _drawn("Bar", labels, [(title, values)], say)


def stacked_chart(
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[float]]],
    *,
    say: Callable[[float], str],
) -> Markup:
    """Bars of several parts each, the first at the bottom; with a table beside it as any chart."""
    return _drawn("StackedBar", labels, series, say)


def _drawn(
    kind: str,
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[float]]],
    say: Callable[[float], str],
) -> Markup:
    chart = getattr(_library(), kind)(
        show_legend=False,
        js=[],
        no_prefix=True,
        disable_xml_declaration=True,
        width=720,
        height=260,
        margin=10,
        print_values=False,
        x_label_rotation=0,
        show_minor_y_labels=False,
        y_labels_major_count=4,
        value_formatter=say,
        pretty_print=False,
        explicit_size=False,
        css=[],
    )
    chart.title = None
    chart.x_labels = list(labels)
    for title, values in series:
        pairs = zip(labels, values, strict=True)
        chart.add(title, [{"value": value, "label": label} for label, value in pairs])
    return _as_markup(chart)


def calibration_chart(points: Sequence[tuple[float, float]], *, title: str, line: str) -> Markup:
    """What was said (across) against what happened (up), both from 0 to 1, beside the diagonal
    on which the two agree. Shown with a table of the same numbers."""
    chart = _library().XY(
        show_legend=False,
        js=[],
        no_prefix=True,
        disable_xml_declaration=True,
        width=720,
        height=320,
        margin=10,
        range=(0, 1),
        xrange=(0, 1),
        dots_size=5,
        y_labels=TENTHS,
        x_labels=TENTHS,
        value_formatter=_percent,
        x_value_formatter=_percent,
        pretty_print=False,
        explicit_size=False,
        css=[],
    )
    chart.title = None
    chart.add(line, [(0, 0), (1, 1)], show_dots=False)
    chart.add(title, list(points))
    return _as_markup(chart)


TENTHS = [0, 0.2, 0.4, 0.6, 0.8, 1]


def _percent(value: float | tuple[float, float]) -> str:
    """A tick as a percentage; for a point the library asks with both of its numbers."""
    return f"{value:.0%}" if not isinstance(value, tuple) else " / ".join(map(_percent, value))


def _as_markup(chart: Any) -> Markup:
    svg = str(chart.render(is_unicode=True))
    svg = _INLINE.sub("", _STYLE.sub("", svg))
    # numbers and our own labels, escaped by the library
    return Markup(svg.replace("<svg ", '<svg role="img" aria-hidden="true" ', 1))  # noqa: S704  # nosec B704
