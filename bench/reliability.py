"""python -m bench.reliability [section …]: run the reliability figures, write docs/reliability.md.

A section is a promise, the tests that keep it, and what they noted with the `figure` fixture.
Add yours to SECTIONS. Sections that are not asked for keep what the page says of them. Exits
with 1 when a promise did not hold; the page then says so, with the command that shows it again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reliability.md"
BOTH = ("sqlite", "postgresql")
SEED = 20261121
PYTEST = ".venv/bin/python -m pytest -q"


@dataclass(frozen=True)
class Section:
    """One figure: `tests` are arguments of pytest, run once per engine."""

    key: str
    title: str
    promise: str
    tests: str
    engines: Sequence[str] = BOTH

    def command(self, engine: str, seed: int) -> str:
        """What anybody types to see the same again."""
        return f"{PYTEST} {self.tests} --seed={seed} --engine={engine}"


SECTIONS = [
    Section(
        "payout",
        "A payout of 500 rows nets to zero",
        "Charges, refunds, failed refunds, disputes lost and won and monthly fees: every movement "
        "matches ours to the cent, clearing keeps nothing, and one injected cent is named.",
        'tests/payment_collection/test_payouts.py -k "five_hundred or injected_cent"',
    ),
    Section(
        "fuzz",
        "10,000 made-up webhooks",
        "Noise, wrong types at every path, deep and huge JSON, invalid UTF-8, odd headers: never "
        "a 500, and nothing is written without a valid signature. Half are signed, half forged.",
        "tests/payment_collection/test_fuzzed_webhooks.py -k made_up --fuzz=10000",
    ),
    Section(
        "signatures",
        "Signatures and the size of a body",
        "A signature holds only for its own body, secret and time, five minutes either way; a "
        "body of more than 256 kB is not read.",
        'tests/payment_collection/test_fuzzed_webhooks.py -k "signature_holds or 256_kb"',
    ),
    Section(
        "janitor",
        "Without any webhook",
        "Unknown attempts are looked at after 5 minutes, an hour and five times a day later, then "
        "parked, still live; pending ones after an hour and daily. With every webhook lost one "
        "pass converges.",
        "tests/payment_collection/test_janitor.py",
    ),
    Section(
        "comparison",
        "The nightly comparison",
        "What only one side knows, or knows with another amount, is told in words, once, until "
        "it is gone or explained.",
        "tests/payment_collection/test_comparing.py",
    ),
    Section(
        "faults",
        "Every fault at every request",
        "Refused, dropped, 500, slow, 409, 429, malformed or a wrong amount, at each of customer, "
        "session, create, confirm, refund and list: 48 cases through the real SDK, after which "
        "the gateway's charges and refunds equal ours.",
        "tests/payment_collection/test_faults.py",
        engines=("sqlite",),
    ),
    Section(
        "confluence",
        "Webhooks in every order",
        "All 120 orders of session completed, processing, succeeded, refunded and disputed, each "
        "told once, twice or three times, with the return page first, last or never: 1,080 lives "
        "of a payment end in one ledger.",
        "tests/payment_collection/test_confluence.py --orders=1080",
    ),
    Section(
        "races",
        "Two at once",
        "Pay, void, credit, refund, dispute, charge, apply, post and number at the same time: "
        "never more than is owed, every cent recorded, no deadlock seen by anybody.",
        "tests/concurrency --rounds=200",
        engines=("postgresql",),
    ),
    Section(
        "serializable",
        "Two at once, in serializable transactions",
        "The same races under PostgreSQL's strictest isolation: what it refuses is begun anew.",
        "tests/concurrency --rounds=200 --isolation=serializable",
        engines=("postgresql",),
    ),
    Section(
        "crash",
        "Killed at every step",
        "The process is killed before and after each step of posting, paying, charging a saved "
        "method and sending, at a gateway in good and bad weather; the next one finds nothing "
        "lost and nothing doubled.",
        "-m crash tests/crash",
    ),
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.reliability")
    parser.add_argument("sections", nargs="*", default=[one.key for one in SECTIONS])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--engine", choices=BOTH, action="append")
    wanted = parser.parse_args()
    texts, failed = _kept(), []
    for section in SECTIONS:
        if section.key in wanted.sections:
            engines = [one for one in section.engines if one in (wanted.engine or BOTH)]
            holds, texts[section.title] = run(section, engines, wanted.seed)
            failed += [] if holds else [section.title]
            PAGE.write_text(page(texts))
    if failed:
        sys.exit(f"Did not hold: {', '.join(failed)}. See {PAGE.relative_to(ROOT)}.")


def run(section: Section, engines: Sequence[str], seed: int) -> tuple[bool, str]:
    """Whether it holds on every engine, and the section's text."""
    parts, every = [section.promise, ""], True
    found: dict[str, dict[str, str]] = {}
    for engine in engines:
        command = section.command(engine, seed)
        print(f"… {command}", file=sys.stderr, flush=True)
        started = time.perf_counter()
        holds, outcome, figures = _run(command)
        every = every and holds
        verdict = "holds" if holds else "**DID NOT HOLD**"
        took = time.perf_counter() - started
        parts += [f"- `{command}`", f"  {verdict}: {outcome} ({took:.0f} s)"]
        for name, value in figures:
            found.setdefault(name, {})[engine] = value
    return every, "\n".join([*parts, *_table(found, engines)])


def _table(found: dict[str, dict[str, str]], engines: Sequence[str]) -> list[str]:
    """The figures side by side; none, no table."""
    if not found:
        return []
    lines = ["", f"| figure | {' | '.join(engines)} |", "|---" * (len(engines) + 1) + "|"]
    for name, values in found.items():
        cells = " | ".join(_cell(values.get(engine, "–")) for engine in engines)
        lines.append(f"| {_cell(name)} | {cells} |")
    return lines


def _run(command: str) -> tuple[bool, str, list[tuple[str, str]]]:
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
    found = [json.loads(line) for line in lines]
    outcome = said[-1] if said else f"exit code {done.returncode}"
    return done.returncode == 0, outcome, [(one["name"], one["value"]) for one in found]


def page(texts: dict[str, str]) -> str:
    """The whole page; a section never run says so."""
    parts = [
        "# Reliability of payments",
        "",
        "Written by `make reliability`; every section is a promise, the command that tests it and "
        "what came out. The same command with the same seed does the same again.",
        "",
        f"Machine: {os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}.",
    ]
    for section in SECTIONS:
        parts += ["", f"## {section.title}", "", texts.get(section.title, "Not run yet.")]
    return "\n".join(parts) + "\n"


def _kept() -> dict[str, str]:
    """What the page says by now, per title."""
    if not PAGE.exists():
        return {}
    blocks = re.split(r"^## ", PAGE.read_text(), flags=re.M)[1:]
    return {title: text.strip() for title, _, text in (block.partition("\n") for block in blocks)}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main()
