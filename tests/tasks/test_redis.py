"""The queue and the rate limits on a real Redis, as several machines share them."""

import shutil
import subprocess

import pytest
from huey import RedisHuey
from limits import parse
from limits.storage import RedisStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from portal.settings import read_settings
from portal.tasks import MAIL, WORK, note_progress, read_progress
from tests.servers.launching import free_port, missing, running
from wsgi import make_app


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    if shutil.which("redis-server") is None:
        missing("redis-server")
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with running(command, port, folder):
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def shared_app(redis_url, tmp_path):
    settings = {"DATA_DIR": str(tmp_path), "SECRET_KEY": "tests only", "REDIS_URL": redis_url}
    return make_app(settings=read_settings(settings))


def test_with_a_redis_address_the_queues_are_there_mail_apart(shared_app):
    queues = shared_app.extensions["queues"]
    for queue in queues.values():
        assert isinstance(queue, RedisHuey)
        queue.flush()

    with shared_app.app_context():
        shared_app.extensions["enqueue"]("message", 7)
        shared_app.extensions["enqueue"]("gateway_event", 8)
        note_progress("import 1", 500)
        assert read_progress("import 1") == 500

    assert [queue.pending_count() for queue in queues.values()] == [1, 1]
    assert queues[MAIL].dequeue().args == ("message", 7)
    assert queues[WORK].dequeue().args == ("gateway_event", 8)


def test_two_processes_count_the_same_tries(redis_url):
    limit = parse("3/minute")
    one, other = (FixedWindowRateLimiter(storage_from_string(redis_url)) for _ in range(2))

    passed = [limiter.hit(limit, "somebody") for limiter in (one, other, one, other)]

    assert passed == [True, True, True, False]


def test_in_production_the_app_keeps_its_limits_there(redis_url, tmp_path):
    settings = {"DATA_DIR": str(tmp_path), "SECRET_KEY": "x" * 40, "REDIS_URL": redis_url,
                "APP_ENV": "production", "BASE_URL": "https://bills.example"}  # fmt: skip
    app = make_app(settings=read_settings(settings))

    assert isinstance(app.extensions["outer limit"].storage, RedisStorage)


def test_redis_answers(redis_url):
    port = redis_url.rsplit(":", 1)[1].split("/")[0]
    reply = subprocess.run(
        ["redis-cli", "-p", port, "ping"], capture_output=True, text=True, check=True
    )
    assert reply.stdout.strip() == "PONG"
