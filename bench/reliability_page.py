"""What came out of the reliability runs: kept as JSON as each one ends, written as one page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.reliability_sections import SECTIONS, Section

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reliability.md"
STORE = ROOT / "docs" / "reliability.json"
INTRODUCTION = """# Reliability of payments

Written by `make reliability`; every section is a promise, the command that tests it, when and \
where it was run and what came out. The same command with the same seed does the same again; a \
test that fails prints the one command that repeats just it. An interrupted run keeps what has \
ended; `python -m bench.reliability --missing` goes on with the rest."""


@dataclass(frozen=True)
class Outcome:
    """One command, run once on one machine; `figures` are names with values, in their order."""

    command: str
    holds: bool
    outcome: str
    seconds: int
    on: str  # the day, ISO
    machine: str
    engine: str  # with its version
    figures: list[tuple[str, str]] = field(default_factory=list)


Outcomes = dict[str, dict[str, Outcome]]  # by the section's key, then by engine


def read_outcomes() -> Outcomes:
    """Everything that was run so far; what no section asks for any more is forgotten."""
    kept = json.loads(STORE.read_text()) if STORE.exists() else {}
    wanted = {one.key: one.engines for one in SECTIONS}
    return {
        key: {engine: Outcome(**one) for engine, one in runs.items() if engine in wanted[key]}
        for key, runs in kept.items()
        if key in wanted
    }


def keep_outcome(section: Section, engine: str, outcome: Outcome) -> None:
    """Add one and write both files anew, so that whatever comes next loses nothing."""
    outcomes = read_outcomes()
    outcomes.setdefault(section.key, {})[engine] = outcome
    plain = {
        key: {name: asdict(one) for name, one in runs.items()} for key, runs in outcomes.items()
    }
    STORE.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(page(outcomes))


def page(outcomes: Outcomes) -> str:
    """The whole page; a command that was never run says so."""
    parts = [INTRODUCTION, "", *_machines(outcomes)]
    for section in SECTIONS:
        parts += ["", f"## {section.title}", "", section.promise, ""]
        runs = outcomes.get(section.key, {})
        for engine in section.engines:
            parts += _run(runs[engine]) if engine in runs else [f"- Not run yet on {engine}."]
        parts += _table(runs, [one for one in section.engines if one in runs])
    return "\n".join(parts) + "\n"


def _machines(outcomes: Outcomes) -> list[str]:
    """Every machine that had a part in it, once."""
    runs = [one for by_engine in outcomes.values() for one in by_engine.values()]
    return [f"Machine: {one}." for one in dict.fromkeys(run.machine for run in runs)]


def _run(run: Outcome) -> list[str]:
    verdict = "holds" if run.holds else "**DID NOT HOLD**"
    where = f"{run.on}, {run.engine}"
    return [f"- `{run.command}`", f"  {verdict}: {run.outcome} ({where}, {run.seconds:,} s)"]


def _table(runs: dict[str, Outcome], engines: Sequence[str]) -> list[str]:
    """The figures side by side; none, no table. One noted again is the last that was said."""
    found: dict[str, dict[str, str]] = {}
    for engine in engines:
        for name, value in runs[engine].figures:
            found.setdefault(name, {})[engine] = value
    if not found:
        return []
    lines = ["", f"| figure | {' | '.join(engines)} |", "|---" * (len(engines) + 1) + "|"]
    for name, values in found.items():
        cells = " | ".join(_cell(values.get(engine, "–")) for engine in engines)
        lines.append(f"| {_cell(name)} | {cells} |")
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
