"""How gunicorn serves: address, processes and threads from the environment; `gunicorn wsgi:app` needs no arguments.

Threads rather than sync workers, and bounds for what a client sends (osdi/operations/gunicorn_worker.py): clients that
announce a body and do not send it would otherwise stop everybody. As many slow ones as there are threads still make
others wait for some seconds; a proxy that buffers requests keeps them out.
"""

import logging
import multiprocessing
import os
import runpy
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from environs import EnvValidationError
from gunicorn import glogging

# The file is run and not imported, so that the workers import the new code after a reload.
_table = runpy.run_path(str(Path(__file__).resolve().parent / "osdi" / "settings" / "table.py"))


def _read_settings() -> Any:
    """Returns the settings of gunicorn. Exits with a message that names every wrong setting of the deployment."""
    try:
        return _table["read"](_table["ServerSettings"])
    except EnvValidationError:
        from osdi.settings import Settings

        try:
            Settings.from_environment()
        except EnvValidationError as error:
            print(error, file=sys.stderr)
        sys.exit(os.EX_CONFIG)


settings = _read_settings()
bind = [f"{settings.host}:{settings.port}"]
workers = settings.web_concurrency
threads = settings.web_threads
# The first process reads these two as they are. Before any worker starts, another process checks all settings.
log_format = os.environ.get("LOG_FORMAT", "")
metrics_token = os.environ.get("METRICS_TOKEN", "")

worker_class = "osdi.operations.gunicorn_worker.Worker"
timeout = 60
graceful_timeout = 25
# Proxies give up a connection first, platforms after 90 seconds: otherwise a request may meet the end of one.
keepalive = 95
# Who a proxy in front is, and what it may say, is TRUSTED_PROXIES' matter; gunicorn would also let it choose the path.
forwarded_allow_ips = ""
# A filter of 2,000 characters, most of them percent-encoded, is longer than what gunicorn reads by default.
limit_request_line = 8190
# The heartbeat file belongs in memory: on a slow disk a busy worker would be taken for dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
control_socket_disable = True


class Logger(glogging.Logger):  # type: ignore[misc]  # gunicorn has no types
    """What gunicorn says of itself, in the form of our lines and without what a client sent.

    The application writes the line of each request; gunicorn's own would hold the query, and thereby a token.
    """

    def setup(self, cfg: Any) -> None:
        from osdi import log  # not before gunicorn has made the application's folder importable

        super().setup(cfg)
        # Below INFO it prints addresses as they came.
        self.error_log.setLevel(max(self.error_log.level, logging.INFO))
        for handler in self.error_log.handlers:
            handler.setFormatter(log.formatter(log_format))

    def _compute_access_log_enabled(self) -> bool:
        return False

    def warning(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        # It goes on with the sender's address and the line or header that is broken.
        told = "Invalid request" if str(msg).startswith("Invalid request") else msg
        super().warning(told, *args, **kwargs)

    def exception(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        # Its arguments are the method and the address as it came.
        super().exception(str(msg).split(" %")[0], **kwargs)


logger_class = Logger

# Of these the database has two to answer; the rest is for a slow processor to load what asks it.
LOOK_SECONDS = 6.0


def _check_deployment(log: Any) -> None:
    """Exits with EX_CONFIG where settings are wrong, or where a newer program has migrated the database."""
    from osdi.operations.readiness import newer_database
    from osdi.settings import Settings

    try:
        problem = newer_database(Settings.from_environment().mongodb_uri)
    except EnvValidationError as error:
        problem = str(error)
    if problem:
        log.error(problem)
        sys.exit(os.EX_CONFIG)


def _refuse_wrong_deployment(log: Any) -> None:
    """Exits if `_check_deployment` does. The server starts even if the database does not answer.

    A process of its own checks: the first process, which all workers are forked from, must have neither threads nor
    connections, nor modules that the workers import anew after a reload.
    """
    look = multiprocessing.get_context("fork").Process(target=_check_deployment, args=(log,), daemon=True)
    look.start()
    look.join(LOOK_SECONDS)
    if look.is_alive():
        look.kill()
        look.join()
    if look.exitcode == os.EX_CONFIG:
        sys.exit(os.EX_CONFIG)


def on_starting(server: Any) -> None:
    """Refuse wrong settings and a database that is not for this program; then make a folder for the metrics.

    In that folder the workers count, so that any of them can tell the sums of all; in memory like the heartbeat.

    A master that takes over from another one inherits its environment, and makes a folder of its own.
    """
    _refuse_wrong_deployment(server.log)
    server.metrics_folder = None
    if metrics_token:
        server.metrics_folder = tempfile.mkdtemp(prefix="osdi-metrics-", dir=worker_tmp_dir)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = server.metrics_folder


def pre_fork(server: Any, worker: Any) -> None:
    """Give the worker the first place that no living one has: it counts on where the place's last one ended."""
    taken = {getattr(each, "metrics_place", None) for each in server.WORKERS.values()}
    worker.metrics_place = next(place for place in range(len(taken) + 1) if place not in taken)


def post_fork(server: Any, worker: Any) -> None:
    from osdi.operations.gunicorn_worker import Bounds

    os.environ["METRICS_PLACE"] = str(worker.metrics_place)
    worker.bounds = Bounds(settings.head_seconds, settings.body_seconds, settings.silence_seconds)


def child_exit(server: Any, worker: Any) -> None:
    """What a worker told of itself alone, such as its connections, ends with it."""
    if server.metrics_folder:
        for told in Path(server.metrics_folder).glob(f"gauge_live*_{worker.metrics_place}.db"):
            with suppress(FileNotFoundError):
                told.unlink()


def on_exit(server: Any) -> None:
    if server.metrics_folder:
        shutil.rmtree(server.metrics_folder, ignore_errors=True)
