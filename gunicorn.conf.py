"""Configuration of gunicorn: reads address, processes and threads from the environment, so that it needs no arguments.

The workers collect each request in their loop before a thread works on it, so clients that connect, or announce a body,
and send nothing block no other client (osdi/operations/serving/gunicorn_worker.py).
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

# These files are run and not imported, so that the workers import the new code after a reload.
_package = Path(__file__).resolve().parent / "osdi"
_table = runpy.run_path(str(_package / "settings" / "table.py"))
VERSION = runpy.run_path(str(_package / "version.py"))["VERSION"]


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
# The master reads these two as they are. Before any worker starts, a child process checks all settings.
log_format = os.environ.get("LOG_FORMAT", "")
metrics_token = os.environ.get("METRICS_TOKEN", "")

worker_class = "osdi.operations.serving.gunicorn_worker.Worker"
timeout = 60
graceful_timeout = 25
# Longer than proxies (platforms: 90 s) keep idle connections. Otherwise a proxy may send a request on a connection that
# gunicorn closes at this moment.
keepalive = 95
# The application evaluates the headers of proxies (TRUSTED_PROXIES). gunicorn would let a proxy change the path, too.
forwarded_allow_ips = ""
# A filter of 2,000 characters, mostly percent-encoded, exceeds gunicorn's default.
limit_request_line = 8190
# The heartbeat file is in memory. With a slow disk, gunicorn would kill busy workers.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
control_socket_disable = True
# The worker's loop sends what a client does not read at once, also of a file.
sendfile = False


class Logger(glogging.Logger):  # type: ignore[misc]  # gunicorn has no types
    """Formats gunicorn's own messages like the application's log, without data that a client sent.

    The application logs each request. gunicorn's access log is off, because it would contain the query and so tokens.
    """

    def setup(self, cfg: Any) -> None:
        from osdi import log  # only importable after gunicorn has set the path

        super().setup(cfg)
        # Below INFO, gunicorn logs addresses as received.
        self.error_log.setLevel(max(self.error_log.level, logging.INFO))
        for handler in self.error_log.handlers:
            handler.setFormatter(log.formatter(log_format))

    def _compute_access_log_enabled(self) -> bool:
        return False

    def warning(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        # The original message continues with the client's address and the invalid line or header.
        message = "Invalid request" if str(msg).startswith("Invalid request") else msg
        super().warning(message, *args, **kwargs)

    def exception(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        # The arguments are the method and the address as received.
        super().exception(str(msg).split(" %")[0], **kwargs)


logger_class = Logger

# Time-out of the check: 2 s for the database, the rest for imports on a slow processor.
CHECK_SECONDS = 6.0


def _check_deployment(log: Any) -> None:
    """Exits with EX_CONFIG if settings are wrong, or if a newer program has migrated the database.

    Logs a warning about settings that have values of the documentation.
    """
    from osdi.operations.readiness import newer_database
    from osdi.settings import Settings
    from osdi.settings.example_values import example_sentence, example_values

    try:
        settings = Settings.from_environment()
        if examples := example_values(settings):
            log.warning(example_sentence(examples))
        problem = newer_database(settings.mongodb_uri)
    except EnvValidationError as error:
        problem = str(error)
    if problem:
        log.error(problem)
        sys.exit(os.EX_CONFIG)


def _reject_wrong_deployment(log: Any) -> None:
    """Exits with EX_CONFIG if `_check_deployment` does. Continues if the database does not respond.

    A child process checks that, because the workers are forks of the master. The master must have no threads and no
    connections, and must not import modules that a reload should read again.
    """
    check = multiprocessing.get_context("fork").Process(target=_check_deployment, args=(log,), daemon=True)
    check.start()
    check.join(CHECK_SECONDS)
    if check.is_alive():
        check.kill()
        check.join()
    if check.exitcode == os.EX_CONFIG:
        sys.exit(os.EX_CONFIG)


def on_starting(server: Any) -> None:
    """Rejects wrong settings and a newer database, and creates a folder for the metrics if METRICS_TOKEN is set.

    The workers write their counts into the folder, so that each of them can report the totals. The folder is in memory
    like the heartbeat file. A new master that replaces another one inherits its environment, and creates a new folder.
    """
    server.log.info(f"Starting OSDI Outreach Server {VERSION}")
    _reject_wrong_deployment(server.log)
    server.metrics_folder = None
    if metrics_token:
        try:
            server.metrics_folder = tempfile.mkdtemp(prefix="osdi-metrics-", dir=worker_tmp_dir)
        except OSError:  # no space in memory
            server.metrics_folder = tempfile.mkdtemp(prefix="osdi-metrics-")
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = server.metrics_folder


def pre_fork(server: Any, worker: Any) -> None:
    """Gives the worker the lowest free number. It continues the counts of the last worker with this number."""
    used = {getattr(each, "metrics_place", None) for each in server.WORKERS.values()}
    worker.metrics_place = next(place for place in range(len(used) + 1) if place not in used)


def post_fork(server: Any, worker: Any) -> None:
    from osdi.operations.serving.incoming_request import Bounds
    from osdi.settings import Settings

    application = Settings.from_environment()
    os.environ["METRICS_PLACE"] = str(worker.metrics_place)
    worker.bounds = Bounds(settings.head_seconds, settings.body_seconds, settings.silence_seconds)
    # The application reads one byte more than it accepts (see app.py).
    worker.max_body_bytes = application.max_body_bytes + 1
    # Behind a proxy, all clients have the proxy's address.
    worker.limits_addresses = not application.trusted_proxies


def child_exit(server: Any, worker: Any) -> None:
    """Deletes the metrics that describe only the ended worker, such as its connections."""
    if server.metrics_folder:
        for file in Path(server.metrics_folder).glob(f"gauge_live*_{worker.metrics_place}.db"):
            with suppress(FileNotFoundError):
                file.unlink()


def on_exit(server: Any) -> None:
    if server.metrics_folder:
        shutil.rmtree(server.metrics_folder, ignore_errors=True)
