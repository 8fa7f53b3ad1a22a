"""How gunicorn serves: address, processes and threads from the environment; `gunicorn wsgi:app` needs no arguments.

Threads rather than sync workers: a few clients that send their bodies slowly would otherwise stop everybody.
"""

from pathlib import Path

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
