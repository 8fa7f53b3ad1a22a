"""Faults: functions that break a part in the middle of the load and repair it, and the additional promises of each.

A strike runs in the caller's thread and returns when the part works again. It repairs as production does: as a service
manager that restarts what has ended. It restarts the service only if the service itself had ended.
"""

import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from faults.deployments import SINGLE, STANDALONE, THREE, Deployment, ThreeMembers, freeze, kill, thaw
from faults.dripping import SlowClient, start_of_body, start_of_headers
from faults.load import Load
from faults.proxy import CuttingProxy
from faults.server import THREADS, WORKERS, Gunicorn, eventually
from faults.small_disk import SmallDisk

EVERYWHERE: Final = (SINGLE, STANDALONE, THREE)
KILLED_WORKERS: Final = 5
# Several kills, because most but not all of them lose unacknowledged writes.
KILLED_MONGODS: Final = 3
FROZEN_SECONDS: Final = 5.0
# Time until a service manager restarts a process that has ended.
RESTART_SECONDS: Final = 1.0
# Longer than a request may wait for a database (see docs/decisions/0005).
AWAY_SECONDS: Final = 20.0
# Time within which mongod must notice that its disk is full.
FULL_SECONDS: Final = 30.0
HELD_SECONDS: Final = 25.0


@dataclass
class Scene:
    """The running parts that a strike can use."""

    deployment: Deployment
    server: Gunicorn
    load: Load
    path: str
    seconds: float
    proxy: CuttingProxy | None = None
    disk: SmallDisk | None = None


@dataclass(frozen=True)
class Fault:
    """One fault, with its additional promises.

    `workers_survive`: the same workers run afterwards. `cuts_no_connection`: every client that can connect gets a
    response. `longest_wait`: maximum seconds of a pause or a response, or None without a limit.
    """

    key: str
    title: str
    strike: Callable[[Scene], None]
    deployments: tuple[str, ...] = EVERYWHERE
    workers_survive: bool = True
    cuts_no_connection: bool = False
    longest_wait: float | None = None
    through_proxy: bool = False
    on_small_disk: bool = False


def kill_workers(scene: Scene) -> None:
    """Kills one worker after another by SIGKILL, as when the machine runs out of memory."""
    for _ in range(KILLED_WORKERS):
        scene.server.kill_worker(random.choice(scene.server.workers))
        scene.load.run(scene.seconds / 2 / KILLED_WORKERS * random.uniform(0.5, 1))


def kill_master(scene: Scene) -> None:
    """Kills gunicorn's master by SIGKILL and starts the next one immediately, while its workers still have the port."""
    scene.server.kill_master()
    scene.server.start()


def kill_server(scene: Scene) -> None:
    """Kills gunicorn's master and workers by SIGKILL and restarts gunicorn."""
    scene.server.kill_all()
    scene.load.run(RESTART_SECONDS)
    scene.server.start()


def terminate_server(scene: Scene) -> None:
    """Ends gunicorn by SIGTERM, as each release does, and starts it again."""
    scene.server.terminate()
    scene.server.start()


def kill_mongod(scene: Scene) -> None:
    """Kills mongod by SIGKILL and restarts it on the same data, several times."""
    for _ in range(KILLED_MONGODS):
        mongod = scene.deployment.primary()
        kill(mongod)
        scene.load.run(RESTART_SECONDS)
        mongod.start()
        scene.load.run(scene.seconds / 2 / KILLED_MONGODS)


def stop_mongod(scene: Scene) -> None:
    """Kills mongod and restarts it only after the service has stopped waiting for a database."""
    mongod = scene.deployment.primary()
    kill(mongod)
    scene.load.run(AWAY_SECONDS)
    mongod.start()


def kill_primary(scene: Scene) -> None:
    """Kills the primary and restarts it as a secondary after another member was elected."""
    assert isinstance(scene.deployment, ThreeMembers)
    mongod = scene.deployment.primary()
    kill(mongod)
    scene.deployment.primary()
    mongod.start()
    scene.deployment.wait_for_secondaries()


def freeze_mongod(seconds: float) -> Callable[[Scene], None]:
    """Returns a strike that freezes the primary by SIGSTOP, as on a suspended or swapping machine."""

    def strike(scene: Scene) -> None:
        mongod = scene.deployment.primary()
        freeze(mongod)
        try:
            scene.load.run(seconds)
        finally:
            thaw(mongod)
        scene.deployment.primary()

    return strike


def fill_disk(scene: Scene) -> None:
    """Fills the disk until mongod ends by itself, then frees the disk and restarts mongod."""
    assert scene.disk
    mongod = scene.deployment.mongods[0]
    scene.disk.fill()
    eventually(
        lambda: mongod.process is not None and mongod.process.poll() is not None, "the end of mongod", FULL_SECONDS
    )
    scene.load.run(RESTART_SECONDS)
    scene.disk.free()
    mongod.start()


def drip(scene: Scene) -> None:
    """Lets one slow client send its body byte by byte for half of the time."""
    with SlowClient(scene.server.port, start_of_body(scene.path), drips=True):
        scene.load.run(scene.seconds / 2)


def hold_threads(begin: Callable[[str], bytes], *, drips: bool) -> Callable[[Scene], None]:
    """Returns a strike with as many slow clients as threads, for longer than any client waits for a response."""

    def strike(scene: Scene) -> None:
        with ExitStack() as stack:
            for _ in range(WORKERS * THREADS):
                stack.enter_context(SlowClient(scene.server.port, begin(scene.path), drips=drips))
            scene.load.run(HELD_SECONDS)

    return strike


def cut_responses(scene: Scene) -> None:
    """Cuts a quarter of all responses for half of the time."""
    assert scene.proxy
    scene.proxy.cutting.set()
    scene.load.run(scene.seconds / 2)
    scene.proxy.cutting.clear()


FAULTS: Final = (
    Fault(
        "worker-killed", f"SIGKILL of a gunicorn worker, {KILLED_WORKERS} times", kill_workers, workers_survive=False
    ),
    Fault("master-killed", "SIGKILL of gunicorn's master, restarted", kill_master, workers_survive=False),
    Fault("server-killed", "SIGKILL of all of gunicorn, restarted", kill_server, workers_survive=False),
    Fault(
        "server-terminated",
        "SIGTERM of gunicorn, restarted",
        terminate_server,
        workers_survive=False,
        cuts_no_connection=True,
    ),
    Fault("mongod-killed", f"SIGKILL of mongod, restarted, {KILLED_MONGODS} times", kill_mongod, (SINGLE, STANDALONE)),
    Fault("mongod-away", f"mongod away for {AWAY_SECONDS:.0f} s", stop_mongod, (SINGLE, STANDALONE)),
    Fault("primary-killed", "SIGKILL of the primary, restarted", kill_primary, (THREE,)),
    Fault("mongod-frozen", f"mongod (the primary) frozen for {FROZEN_SECONDS:.0f} s", freeze_mongod(FROZEN_SECONDS)),
    Fault("mongod-hung", f"mongod (the primary) frozen for {AWAY_SECONDS:.0f} s", freeze_mongod(AWAY_SECONDS)),
    Fault("disk-full", "the database's disk full", fill_disk, (SINGLE, STANDALONE), on_small_disk=True),
    Fault("body-dripped", "a client that drips its body", drip, longest_wait=2.0),
    Fault("bodies-dripped", "as many of these as threads", hold_threads(start_of_body, drips=True), (SINGLE,)),
    Fault("heads-stalled", "as many that stop in a head", hold_threads(start_of_headers, drips=False), (SINGLE,)),
    Fault("responses-cut", "a quarter of the responses cut", cut_responses, longest_wait=2.0, through_proxy=True),
)
