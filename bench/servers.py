"""The real programs, as `flask serve` starts them: web processes and workers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from portal.settings import ROOT, Settings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(app: Flask, **more: str) -> dict[str, str]:
    """The settings of a bench house as another process reads them."""
    settings: Settings = app.config["SETTINGS"]
    return {
        **os.environ,
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key,
        **more,
    }


def start_web(env: dict[str, str], port: int) -> subprocess.Popen[bytes]:
    """One web process with eight threads that answers before this returns."""
    command = [
        sys.executable, "-m", "gunicorn", "wsgi:make_app()", "--bind", f"127.0.0.1:{port}",
        "--worker-class", "gthread", "--workers", "1", "--threads", "8", "--log-level", "error",
        "--no-control-socket",
    ]  # fmt: skip
    process = _start(command, env, "web")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.05)
    raise RuntimeError("the web process did not answer")


def start_worker(env: dict[str, str]) -> subprocess.Popen[bytes]:
    return _start([sys.executable, "-m", "flask", "--app", "wsgi", "worker"], env, "worker")


def _start(command: list[str], env: dict[str, str], name: str) -> subprocess.Popen[bytes]:
    log = (Path(env["DATA_DIR"]) / f"{name}.log").open("ab")
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)


@contextmanager
def stopping(*processes: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ends them whatever happens inside."""
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
