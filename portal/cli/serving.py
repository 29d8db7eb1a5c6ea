"""One supervisor over the web server and the worker."""

from __future__ import annotations

import gc
import signal
import socket

# our own two programs, no shell
import subprocess  # nosec B404
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException

import click

from portal import tasks
from portal.settings import ROOT, Settings, environment_for_children

STOP_WITHIN = tasks.STOP_WITHIN + 2  # seconds; the worker finishes the row in its hand


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
            "--config", str(ROOT / "portal" / "cli" / "web_server.py"),
            "--workers", str(settings.web_workers),
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
        time.sleep(0.05)
        for name, child in children.items():
            if child.poll() is not None and not stopping:
                say(f"The {name} process ended with code {child.returncode}; starting it again.")
                time.sleep(1)
                children[name] = _start(commands[name], environment)
    say("Stopping …  (again to stop at once)")
    return _stop(list(children.values()), stopping)


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    # a session of its own: Ctrl-C reaches the supervisor, which stops the children in order
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)  # noqa: S603  # nosec B603


def _answers(host: str, port: int, stopping: list[int]) -> bool:
    """Whether the app answers within half a minute."""
    deadline = time.monotonic() + 30
    while not stopping and time.monotonic() < deadline:
        asking = HTTPConnection(host, port, timeout=5)
        try:  # a whole request: a bare connection would be waited for at a stop
            asking.request("GET", "/healthz", headers={"Connection": "close"})
            asking.getresponse().read()
            return True
        except (OSError, HTTPException):
            time.sleep(0.05)
        finally:
            asking.close()
    return False


def _stop(children: list[subprocess.Popen[bytes]], signals: list[int]) -> int:
    """In order at the first signal, at once at the second or when the time is up."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + STOP_WITHIN
    while any(child.poll() is None for child in children):
        if len(signals) > 1 or time.monotonic() > deadline:
            for child in children:
                child.kill()
        time.sleep(0.02)
    gc.freeze()  # not walking through what is loaded makes leaving quick
    return 0


def throw_away(settings: Settings) -> None:
    """Remove the demo's SQLite database and files; refuses anything but SQLite."""
    if not settings.uses_sqlite or settings.is_production:
        raise click.ClickException("Only a development SQLite database can be reset.")
    base = settings.sqlite_file
    for path in [base, *base.parent.glob(base.name + "-*"), *base.parent.glob("tasks.sqlite3*")]:
        path.unlink(missing_ok=True)
