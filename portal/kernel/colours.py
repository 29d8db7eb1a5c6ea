"""Colours as #rrggbb, and whether text on them can be read."""

from __future__ import annotations

import re

READABLE = 4.5  # WCAG 2.2, success criterion 1.4.3
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def is_colour(typed: str) -> bool:
    return _COLOUR.fullmatch(typed) is not None


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two #rrggbb colours (WCAG 2.2)."""
    lights = sorted((_luminance(one), _luminance(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
