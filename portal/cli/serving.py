"""One supervisor over the web server and the worker."""

from __future__ import annotations

import signal
import socket

# our own two programs, no shell
import subprocess  # nosec B404
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from portal.settings import ROOT, Settings, environment_for_children

STOP_WITHIN = 5.0


def refuse_taken_port(host: str, port: int) -> None:
    """A clear sentence instead of a stack trace when something listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(
                f"Port {port} is taken on {host}. Stop what listens there, or choose another: "
                "flask serve --port 5001"
            ) from error


def supervise(settings: Settings, host: str, port: int, *, say: Callable[[str], None]) -> int:
    """Run both until a signal comes; restart one that dies; returns an exit code."""
    commands = {
        "web": [
            sys.executable, "-m", "gunicorn", "wsgi:make_app()", "--bind", f"{host}:{port}",
            "--worker-class", "gthread", "--workers", str(settings.web_workers), "--threads", "8",
            "--graceful-timeout", "3", "--timeout", "60", "--log-level", "warning",
            "--no-control-socket",
        ],
        "worker": [sys.executable, "-m", "flask", "--app", "wsgi", "worker"],
    }  # fmt: skip
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda caught, _frame: stopping.append(caught))
    environment = environment_for_children(settings)
    children = {name: _start(command, environment) for name, command in commands.items()}
    if _answers(host, port, stopping):
        say(f"Fieldledger is ready at {settings.base_url}  (Ctrl-C stops it)")
    while not stopping:
        time.sleep(0.2)
        for name, child in children.items():
            if child.poll() is not None and not stopping:
                say(f"The {name} process ended with code {child.returncode}; starting it again.")
                time.sleep(1)
                children[name] = _start(commands[name], environment)
    say("Stopping …")
    return _stop(list(children.values()))


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    # a session of its own: Ctrl-C reaches the supervisor, which stops the children in order
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)  # noqa: S603  # nosec B603


def _answers(host: str, port: int, stopping: list[int]) -> bool:
    for _try in range(300):
        if stopping:
            return False
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) == 0:
                return True
        time.sleep(0.05)
    return False


def _stop(children: list[subprocess.Popen[bytes]]) -> int:
    for child in children:
        child.terminate()
    deadline = time.monotonic() + STOP_WITHIN
    for child in children:
        try:
            child.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return 0


def throw_away(settings: Settings) -> None:
    """Remove the demo's SQLite database and files; refuses anything but SQLite."""
    if not settings.uses_sqlite or settings.is_production:
        raise click.ClickException("Only a development SQLite database can be reset.")
    base = Path(settings.database_url.removeprefix("sqlite:///"))
    for path in [base, *base.parent.glob(base.name + "-*"), *base.parent.glob("tasks.sqlite3*")]:
        path.unlink(missing_ok=True)
