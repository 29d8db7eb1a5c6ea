"""`flask serve` as a person uses it: it starts, answers, and stops with nothing left behind."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import click
import pytest

from portal.cli import commands, serving
from portal.cli.serving import refuse_taken_port
from tests.architecture.graph import ROOT
from tests.servers.launching import free_port


@pytest.fixture
def serve(tmp_path):
    """A served house; whatever the test does, every process of it ends."""
    environ = {**os.environ, "DATA_DIR": str(tmp_path / "data"), "PYTHONUNBUFFERED": "1"}
    for name in ("APP_ENV", "BASE_URL", "DATABASE_URL", "REDIS_URL", "SMTP_URL"):
        environ.pop(name, None)
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "serve", "--port", str(port)],
        cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    yield process, port
    for number in [process.pid, *processes_of(tmp_path)]:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait(10)
    process.stdout.close()


def processes_of(folder):
    """Every process that was told to keep its data there, by its environment."""
    mark = f"DATA_DIR={folder}/".encode()
    return [int(one.name) for one in Path("/proc").glob("[0-9]*") if mark in environment(one)]


def environment(process):
    try:
        return (process / "environ").read_bytes()
    except OSError:  # it has ended, or is another user's
        return b""


def wait_until_ready(process):
    said = []
    for line in process.stdout:
        said.append(line)
        if "is ready" in line:
            return "".join(said)
    raise AssertionError("".join(said))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_starts_answers_and_stops(serve, tmp_path, number):
    process, port = serve
    said = wait_until_ready(process)
    address = f"http://127.0.0.1:{port}"
    with urllib.request.urlopen(f"{address}/staff/sign-in", timeout=10) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(f"{address}/healthz", timeout=10) as answer:
        assert answer.status == 200

    assert f"{address}/staff/sign-in" in said
    assert len(processes_of(tmp_path)) >= 4  # ourselves, gunicorn with two workers, the worker
    process.send_signal(number)
    assert process.wait(15) == 0
    assert "Stopping" in process.stdout.read()
    assert processes_of(tmp_path) == []
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{address}/healthz", timeout=1)


def test_a_process_that_dies_is_started_again(serve, tmp_path):
    process, _port = serve
    wait_until_ready(process)
    (worker,) = [one for one in processes_of(tmp_path) if b"worker\0" in command(one)[-8:]]
    os.kill(worker, signal.SIGKILL)

    assert "The worker process ended" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
    assert processes_of(tmp_path) == []


def command(number):
    return Path(f"/proc/{number}/cmdline").read_bytes()


def test_a_taken_port_is_told_in_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(click.ClickException, match=rf"Port {port} is taken on 127\.0\.0\.1"):
            refuse_taken_port("127.0.0.1", port)


def test_the_test_gateways_pages_lie_where_the_house_is_served(app, monkeypatch):
    started = []
    monkeypatch.setattr(serving, "supervise", lambda settings, *_rest, **_more: started.append(1))
    monkeypatch.setattr(commands, "upgrade_database", lambda: None)
    monkeypatch.delenv("BASE_URL", raising=False)
    before = app.config["SETTINGS"], app.extensions["gateway"]
    port = free_port()
    try:
        app.test_cli_runner().invoke(commands.serve, ["--port", str(port)])
        address = app.extensions["gateway"]._base_url
    finally:
        app.config["SETTINGS"], app.extensions["gateway"] = before
        (before[0].data_dir / "served_at").unlink(missing_ok=True)

    assert started == [1]
    assert address == f"http://127.0.0.1:{port}"
