"""Everything CI runs, one step after another; the first failure decides the exit code."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
PYTEST = [sys.executable, "-m", "pytest", "-q"]

QUICK = [
    ("ruff", [str(BIN / "ruff"), "check", "."]),
    ("ruff format", [str(BIN / "ruff"), "format", "--check", "."]),
    ("mypy --strict", [str(BIN / "mypy")]),
    (
        "bandit",
        [str(BIN / "bandit"), "-q", "-c", "pyproject.toml", "-r", "portal", "staff", "customer"],
    ),
    ("architecture", [*PYTEST, "tests/architecture"]),
    (
        "tests on SQLite",
        [
            *PYTEST,
            "-n",
            "2",
            "--engine=sqlite",
            "-m",
            "not browser and not crash and not long",
            "--ignore=tests/architecture",
        ],
    ),
]
REST = [
    (
        "tests on PostgreSQL",
        [
            *PYTEST,
            "-n",
            "2",
            "--engine=postgresql",
            "-m",
            "not browser and not crash and not long",
            "--ignore=tests/architecture",
        ],
    ),
    ("crash tests", [*PYTEST, "-n", "2", "-m", "crash", "tests/crash"]),
    ("long tests", [*PYTEST, "-m", "long", "tests"]),
    ("browser journeys", [*PYTEST, "-m", "browser", "tests/browser"]),
]


def main() -> None:
    steps = QUICK if "--quick" in sys.argv else QUICK + REST
    failed = [name for name, command in steps if not passes(name, command)]
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}.")
    print(f"All {len(steps)} steps passed.")


def passes(name: str, command: list[str]) -> bool:
    print(f"\n=== {name}", flush=True)
    started = time.monotonic()
    code = subprocess.run(
        command, check=False, env={**os.environ, "PYTHONHASHSEED": "0"}
    ).returncode
    print(
        f"=== {name}: {'ok' if code == 0 else 'FAILED'} in {time.monotonic() - started:.0f} s",
        flush=True,
    )
    return code == 0


if __name__ == "__main__":
    main()
