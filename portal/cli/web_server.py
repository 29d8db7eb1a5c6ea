"""How gunicorn runs the web processes; read by its path, so it imports nothing of ours."""

import gc
from typing import Any

worker_class = "gthread"
threads = 8
timeout = 60  # seconds
graceful_timeout = 3  # seconds for the requests in hand when told to stop
loglevel = "warning"
control_socket_disable = True


def post_worker_init(_worker: Any) -> None:
    """What is loaded now stays: not walking through it makes stopping quick."""
    gc.freeze()
