"""How gunicorn serves: address, processes and threads from the environment; `gunicorn wsgi:app` needs no arguments.

Threads rather than sync workers, and a bound on silence: clients that announce a body and do not send it would
otherwise stop everybody. A client that drips a byte now and then still holds a thread; a proxy that buffers requests
keeps it out.
"""

from pathlib import Path
from typing import Any

from environs import Env

env = Env(eager=False)
port = env.int("PORT", 5000)
workers = env.int("WEB_CONCURRENCY", 2)
threads = env.int("WEB_THREADS", 4)
bind = [f"{env.str('HOST', '0.0.0.0')}:{port}"]
accesslog = env.str("ACCESS_LOG", "") or None
env.seal()

worker_class = "gthread"
timeout = 60
graceful_timeout = 25
keepalive = 5
# The heartbeat file belongs in memory: on a slow disk a busy worker would be taken for dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
control_socket_disable = True

SILENCE_SECONDS = 5


def pre_request(worker: Any, req: Any) -> None:
    """Bound each wait for more of a request's body; gunicorn's own `timeout` does not reach a thread."""
    req.unreader.sock.settimeout(SILENCE_SECONDS)
