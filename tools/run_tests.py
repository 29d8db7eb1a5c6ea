"""Everything CI runs, in rounds: the steps of a round share the cores; one failure fails all."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

BIN = Path(sys.executable).parent
PYTEST = [sys.executable, "-m", "pytest", "-q"]
USUAL = ["-m", "not browser and not crash and not long", "--ignore=tests/architecture"]
AT_ONCE = 2  # a step by itself keeps about one core busy; those with -n 2 have a round of their own

Step = tuple[str, list[str]]
LOOKED_AT: list[Step] = [
    ("mypy --strict", [str(BIN / "mypy")]),
    ("ruff", [str(BIN / "ruff"), "check", "."]),
    ("ruff format", [str(BIN / "ruff"), "format", "--check", "."]),
    (
        "bandit",
        [str(BIN / "bandit"), "-q", "-c", "pyproject.toml", "-r", "portal", "staff", "customer"],
    ),
    ("architecture", [*PYTEST, "tests/architecture"]),
]
QUICK = [
    LOOKED_AT,
    [("tests on SQLite", [*PYTEST, "-n", "2", "--engine=sqlite", *USUAL])],
]
REST: list[list[Step]] = [
    [("tests on PostgreSQL", [*PYTEST, "-n", "2", "--engine=postgresql", *USUAL])],
    [
        ("long tests", [*PYTEST, "-m", "long", "tests"]),
        ("browser journeys", [*PYTEST, "-m", "browser", "tests/browser"]),
        ("crash tests", [*PYTEST, "-m", "crash", "tests/crash"]),
        (
            "crash tests on PostgreSQL",
            [*PYTEST, "--engine=postgresql", "-m", "crash", "tests/crash/test_batch_kills.py"],
        ),
    ],
]
speaking = threading.Lock()


def main() -> None:
    rounds = QUICK if "--quick" in sys.argv else QUICK + REST
    failed = [name for steps in rounds for name in failures(steps)]
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}.")
    print(f"All {sum(map(len, rounds))} steps passed.")


def failures(steps: list[Step]) -> Iterable[str]:
    """Run the steps of one round, AT_ONCE at a time; the names of those that failed."""
    if len(steps) == 1:
        [(name, command)] = steps
        print(f"\n=== {name}", flush=True)
        return [] if passes(name, command, None) else [name]
    with ThreadPoolExecutor(AT_ONCE) as lanes:
        passed = list(lanes.map(lambda step: passes_quietly(*step), steps))
    return [name for (name, _command), well in zip(steps, passed, strict=True) if not well]


def passes_quietly(name: str, command: list[str]) -> bool:
    """Say everything at the end, for others are talking too."""
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        return passes(name, command, said)


def passes(name: str, command: list[str], said: IO[str] | None) -> bool:
    started = time.monotonic()
    environ = {**os.environ, "PYTHONHASHSEED": "0"}
    code = subprocess.run(
        command, check=False, env=environ, stdout=said, stderr=said and subprocess.STDOUT
    ).returncode
    took = time.monotonic() - started
    with speaking:
        if said:
            said.seek(0)
            print(f"\n=== {name}\n{said.read()}", end="")
        print(f"=== {name}: {'ok' if code == 0 else 'FAILED'} in {took:.0f} s", flush=True)
    return code == 0


if __name__ == "__main__":
    main()
