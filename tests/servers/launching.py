"""Starting a server for the tests: on a free port, stopped afterwards, missing is told."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def missing(what: str) -> None:
    """Skip with the reason; on CI a missing piece is an error."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and on CI nothing may be.")
    pytest.skip(f"{what} is not installed")


@contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The server as a process of its own, ready to be talked to."""
    log = (folder / "server.log").open("wb")
    process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        _wait_for(port, process, folder)
        yield process
    finally:
        process.terminate()
        process.wait(10)
        log.close()


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError((folder / "server.log").read_text(errors="replace")[-2000:])


@contextmanager
def localstripe(folder: Path) -> Iterator[int]:
    """A stand-in for Stripe's API on a port of its own; its memory ends with it."""
    if importlib.util.find_spec("localstripe") is None:
        missing("localstripe")
    port = free_port()
    command = [sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"]
    with running(command, port, folder):
        yield port
