"""Command of `make run`: starts everything for a first try and prints example commands.

It uses the database of MONGODB_URI, which can be `mongomock://` for memory, or the packaged mongod with its data under
./var. It creates the indexes and, on the first start, sample data and a token. It starts gunicorn on PORT and the
worker, whose output goes to files, so that the addresses and the token stay on the screen. `bin/osdi` reads the address
of the database from a file. Ctrl-C ends all processes that this command started, the database last.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from environs import EnvValidationError

from dev.mongod import FOLDER, Mongod, MongodUnavailable, kept_port
from osdi.access.authentication import Authentication
from osdi.access.tokens import new_token
from osdi.errors import OsdiError
from osdi.ids import now
from osdi.operations.migrations import migrate
from osdi.resources import ADVOCACY_CAMPAIGN, API, PAGES
from osdi.sample import CAMPAIGN_ID, SLUG, create_sample
from osdi.settings import Settings
from osdi.staff.links import link_url, new_link
from osdi.staff.members import add_member, find_member
from osdi.staff.sessions import new_secret
from osdi.store import Insert, Store
from osdi.store.driver import MOCK
from osdi.store.indexes import TOKENS

VAR = Path("var")
TOKEN_FILE = VAR / "token"
SETTINGS_FILE = VAR / "run.env"
LOGS = VAR / "log"
LOG_BYTES = 10_000_000  # a longer log is begun anew at the next start; one old log is kept
SHOWN_LINES = 10
SAMPLE_MEMBER = "ada@example.org"
START_SECONDS = 60  # the first start compiles what it imports
STOP_SECONDS = 30
# Imports what a web process needs for its start and for its first filter.
APPLICATION = "import wsgi, osdi.odata.query"


class Stop(Exception):
    """A signal to stop has arrived."""


def main() -> int:
    """Runs until a signal arrives or the server ends. Returns the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    port = int(os.environ.setdefault("PORT", "5000"))
    os.environ.setdefault("HOST", "127.0.0.1")  # reachable only from this machine
    if _is_in_use(port):
        print(f"Port {port} is in use. Choose another one: PORT={port + 1} make run", file=sys.stderr)
        return 1
    with ExitStack() as stack:
        try:
            compiling = None if sys.dont_write_bytecode else _compile_ahead(stack)
            application = _database(stack)
            settings = Settings.from_environment()
            in_memory = settings.mongodb_uri.startswith(MOCK)
            token = os.environ["SAMPLE_TOKEN"] if in_memory else _prepare(settings)
            if compiling:
                compiling.wait(START_SECONDS)
            server = _start(stack, "web", "gunicorn", application)
            _wait_until_up(server, port)
            address = settings.public_url or f"http://localhost:{port}"
            staff_link = os.environ["SAMPLE_STAFF_SECRET"] if in_memory else _sample_staff(settings)
            if not in_memory:  # no other process can read the memory
                _save_settings(MONGODB_URI=settings.mongodb_uri, PUBLIC_URL=address)
                _start(stack, "worker", "flask", "--app", "wsgi", "worker", PUBLIC_URL=address)
            print(_examples(port, token, link_url(address, staff_link)), flush=True)
            exit_code = server.wait()
            print(f"The server ended with exit code {exit_code}. {_end_of_log('web')}", file=sys.stderr)
            return exit_code
        except Stop:
            print("\nStopping.", flush=True)
            return 0
        except (EnvValidationError, MongodUnavailable, OsdiError, OSError, subprocess.TimeoutExpired) as error:
            print(f"The server did not start: {error}", file=sys.stderr)
            return 1


def _compile_ahead(stack: ExitStack) -> "subprocess.Popen[bytes]":
    """Starts a process that imports the application, so that Python compiles it while the database starts.

    A web process that compiles what it imports would keep 4 MB more. If the import fails, the web process says why.
    """
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, "-c", APPLICATION], stdout=nowhere, stderr=nowhere)

    def stop() -> None:
        process.kill()
        process.wait()

    stack.callback(stop)
    return process


def _database(stack: ExitStack) -> str:
    """Starts a database if MONGODB_URI is not set, and sets it. Returns the application for gunicorn.

    Raises MongodUnavailable.
    """
    uri = os.environ.get("MONGODB_URI", "")
    if uri.startswith(MOCK):
        print("WARNING: all data is in memory. NOTHING IS KEPT when the server stops.", file=sys.stderr)
        os.environ["WEB_CONCURRENCY"] = "1"  # a second process would have its own memory
        os.environ["SAMPLE_TOKEN"] = new_token("sample")[0]
        os.environ["SAMPLE_STAFF_SECRET"] = new_secret()
        return "dev.memory:app"
    if uri:
        print("Using the database of MONGODB_URI.")
        return "wsgi:app"
    try:
        mongod = stack.enter_context(Mongod(FOLDER, port=kept_port(FOLDER)))
    except MongodUnavailable as error:
        advice = f"Or use another database (MONGODB_URI=mongodb://...), or memory (MONGODB_URI={MOCK} make run)."
        raise MongodUnavailable(f"{error}\n{advice}") from error
    print(f"MongoDB runs on port {mongod.port}. Its data is in {mongod.folder}/.")
    os.environ["MONGODB_URI"] = mongod.uri
    return "wsgi:app"


def _prepare(settings: Settings) -> str:
    """Migrates the database and creates indexes; on the first start also sample data. Returns a valid token."""
    store = Store(settings.mongodb_uri)
    try:
        migrate(store, settings.match_key_rules, print)
        store.create_indexes()
        if not store.page(ADVOCACY_CAMPAIGN.collection, {}, page=1, per_page=1).documents:
            for line in create_sample(store, settings.namespace):
                print(line)
        return _saved_token(store, settings) or _create_token(store)
    finally:
        store.close()


def _saved_token(store: Store, settings: Settings) -> str | None:
    """Returns the token of an earlier start, or None if this database does not have it."""
    if not TOKEN_FILE.exists():
        return None
    token = TOKEN_FILE.read_text().strip()
    try:
        Authentication(store, cache_seconds=0).caller(token)
    except OsdiError:
        return None
    return token


def _create_token(store: Store) -> str:
    """Creates a token and saves it in TOKEN_FILE."""
    token, document = new_token("make run")
    store.write(Insert(TOKENS, document))
    TOKEN_FILE.parent.mkdir(exist_ok=True)
    TOKEN_FILE.touch(mode=0o600)
    TOKEN_FILE.write_text(token + "\n")
    return token


def _sample_staff(settings: Settings) -> str:
    """Returns the secret of a new sign-in link for the sample member, who is added if there is none."""
    store = Store(settings.mongodb_uri)
    try:
        member = find_member(store, SAMPLE_MEMBER) or add_member(store, SAMPLE_MEMBER, name="Ada")
        return new_link(store, member, now())
    finally:
        store.close()


def _save_settings(**variables: str) -> None:
    """Writes the variables with which `bin/osdi` runs commands. Only the owner can read them."""
    SETTINGS_FILE.touch(mode=0o600)
    SETTINGS_FILE.write_text("".join(f"{name}='{value}'\n" for name, value in variables.items()))


def _start(stack: ExitStack, name: str, *command: str, **variables: str) -> "subprocess.Popen[bytes]":
    """Starts a Python module with these variables, and a log with this name.

    When the stack closes, it ends the process by SIGTERM.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".old"))
    with log.open("ab") as output:
        # A separate session, so that Ctrl-C reaches only this process, which stops the others and then the database.
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=os.environ | variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def stop() -> None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    stack.callback(_uninterrupted(stop))
    return process


def _uninterrupted(stop: Callable[[], None]) -> Callable[[], None]:
    """Returns `stop` with further signals ignored, so that a second Ctrl-C does not interrupt it."""

    def run() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stop()

    return run


def _wait_until_up(server: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise TimeoutError(f"gunicorn ended with exit code {server.returncode}. {_end_of_log('web')}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{API}/", timeout=5):
                return
        except OSError:  # not listening yet, or so slow to load that the response timed out
            time.sleep(0.1)
    raise TimeoutError(f"gunicorn did not respond on port {port} within {START_SECONDS} s")


def _end_of_log(name: str) -> str:
    """Returns a sentence and the last lines of a log."""
    log = LOGS / f"{name}.log"
    lines = log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
    return "\n".join((f"The end of {log}:", *lines))


def _is_in_use(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _examples(port: int, token: str, staff_link: str) -> str:
    """Returns example commands to paste into a shell."""
    address = f"http://localhost:{port}"
    helper = f"{address}{API}/{ADVOCACY_CAMPAIGN.collection}/{CAMPAIGN_ID}/record_outreach_helper"
    body = (
        '{"person": {"given_name": "Jane", "email_addresses": [{"address": "jane@example.com"}]}, "type": "phone", '
        '"duration": 120, "targets": [{"title": "Senator", "family_name": "Smith"}], "add_tags": ["volunteer"]}'
    )
    return f"""
The page of the sample campaign, as a supporter sees it: {address}{PAGES}/{SLUG}

Record an outreach without a token, as a web page does. The response is {{}}:

curl {helper} \\
  -d '{body}'

The same with a token. The response is the whole outreach:

curl {helper} \\
  -H 'OSDI-API-Token: {token}' \\
  -d '{body}'

Sign in to the staff pages, within 15 minutes and only once:

{staff_link}

Explore: {address}/docs
Commands: bin/osdi --help, and bin/osdi token for the token above
Logs: {LOGS}/
Stop: Ctrl-C
"""


def _stop(*_: object) -> None:
    raise Stop


if __name__ == "__main__":
    sys.exit(main())
