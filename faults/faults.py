"""The faults: what is broken in the middle of the load, how it is mended, and what is promised besides.

A strike does both, in the caller's thread, and returns when all is whole again. What mends is what mends in production:
a service manager that starts again what has ended. The service itself is only restarted where it was what ended.
"""

import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from faults.deployments import SINGLE, STANDALONE, THREE, Deployment, ThreeMembers, freeze, kill, thaw
from faults.dripping import Slow, body_of, half_a_head
from faults.load import Load
from faults.proxy import CuttingProxy
from faults.server import THREADS, WORKERS, Gunicorn, eventually
from faults.small_disk import SmallDisk

EVERYWHERE: Final = (SINGLE, STANDALONE, THREE)
KILLED_WORKERS: Final = 5
# Writes that nobody waited for are lost by most kills, not by each.
KILLED_MONGODS: Final = 3
FROZEN_SECONDS: Final = 5.0
# After so long a service manager starts again what has ended.
RESTART_SECONDS: Final = 1.0
# Longer than a request may wait for a database (see docs/decisions/0005).
AWAY_SECONDS: Final = 20.0
# Within so long a mongod has to find out that its disk is full.
FULL_SECONDS: Final = 30.0
HELD_SECONDS: Final = 25.0


@dataclass
class Scene:
    """What a strike can reach."""

    deployment: Deployment
    server: Gunicorn
    load: Load
    path: str
    seconds: float
    proxy: CuttingProxy | None = None
    disk: SmallDisk | None = None


@dataclass(frozen=True)
class Fault:
    """One thing that breaks.

    `recovers`: the workers are the same afterwards, since the service needs no restart. `cuts_nobody`: whoever can
    connect is answered. `unnoticed`: where others are
    not to notice, how many seconds a pause or an answer may take at most.
    """

    key: str
    title: str
    strike: Callable[[Scene], None]
    deployments: tuple[str, ...] = EVERYWHERE
    recovers: bool = True
    cuts_nobody: bool = False
    unnoticed: float | None = None
    through_proxy: bool = False
    on_small_disk: bool = False


def kill_workers(scene: Scene) -> None:
    """SIGKILL to one worker after another, as when the machine runs out of memory."""
    for _ in range(KILLED_WORKERS):
        scene.server.kill_worker(random.choice(scene.server.workers))
        scene.load.run(scene.seconds / 2 / KILLED_WORKERS * random.uniform(0.5, 1))


def kill_master(scene: Scene) -> None:
    """SIGKILL to gunicorn's master; the next one is started at once, and needs the port that its workers have."""
    scene.server.kill_master()
    scene.server.start()


def kill_server(scene: Scene) -> None:
    """SIGKILL to all of gunicorn at once."""
    scene.server.kill_all()
    scene.load.run(RESTART_SECONDS)
    scene.server.start()


def terminate_server(scene: Scene) -> None:
    """SIGTERM, as at each deployment; the next one starts when it has ended."""
    scene.server.terminate()
    scene.server.start()


def kill_mongod(scene: Scene) -> None:
    """SIGKILL; started again on the same data, and that several times."""
    for _ in range(KILLED_MONGODS):
        mongod = scene.deployment.primary()
        kill(mongod)
        scene.load.run(RESTART_SECONDS)
        mongod.start()
        scene.load.run(scene.seconds / 2 / KILLED_MONGODS)


def take_mongod_away(scene: Scene) -> None:
    """SIGKILL, and nobody starts it again for longer than the service waits for a database."""
    mongod = scene.deployment.primary()
    kill(mongod)
    scene.load.run(AWAY_SECONDS)
    mongod.start()


def kill_primary(scene: Scene) -> None:
    """SIGKILL to the primary; it comes back when another has been elected, and follows."""
    assert isinstance(scene.deployment, ThreeMembers)
    mongod = scene.deployment.primary()
    kill(mongod)
    scene.deployment.primary()
    mongod.start()
    scene.deployment.wait_for_secondaries()


def freeze_mongod(seconds: float) -> Callable[[Scene], None]:
    """SIGSTOP, as on a machine that is suspended or swaps; where there are several mongods it meets the primary."""

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
    """A file takes all room, and mongod ends by itself; it is started again when the file is gone."""
    assert scene.disk
    mongod = scene.deployment.mongods[0]
    scene.disk.fill()
    eventually(lambda: mongod.process is not None and mongod.process.poll() is not None, "mongod's end", FULL_SECONDS)
    scene.load.run(RESTART_SECONDS)
    scene.disk.free()
    mongod.start()


def drip(scene: Scene) -> None:
    """One client drips its body for half of the time."""
    with Slow(scene.server.port, body_of(scene.path), drips=True):
        scene.load.run(scene.seconds / 2)


def hold_threads(begin: Callable[[str], bytes], *, drips: bool) -> Callable[[Scene], None]:
    """As many slow clients as there are threads, for longer than anybody may wait for an answer."""

    def strike(scene: Scene) -> None:
        with ExitStack() as stack:
            for _ in range(WORKERS * THREADS):
                stack.enter_context(Slow(scene.server.port, begin(scene.path), drips=drips))
            scene.load.run(HELD_SECONDS)

    return strike


def cut_answers(scene: Scene) -> None:
    """A quarter of all answers breaks off, for half of the time."""
    assert scene.proxy
    scene.proxy.cutting.set()
    scene.load.run(scene.seconds / 2)
    scene.proxy.cutting.clear()


FAULTS: Final = (
    Fault("worker-killed", f"SIGKILL of a gunicorn worker, {KILLED_WORKERS} times", kill_workers, recovers=False),
    Fault("master-killed", "SIGKILL of gunicorn's master, restarted", kill_master, recovers=False),
    Fault("server-killed", "SIGKILL of all of gunicorn, restarted", kill_server, recovers=False),
    Fault("server-terminated", "SIGTERM of gunicorn, restarted", terminate_server, recovers=False, cuts_nobody=True),
    Fault("mongod-killed", f"SIGKILL of mongod, restarted, {KILLED_MONGODS} times", kill_mongod, (SINGLE, STANDALONE)),
    Fault("mongod-away", f"mongod away for {AWAY_SECONDS:.0f} s", take_mongod_away, (SINGLE, STANDALONE)),
    Fault("primary-killed", "SIGKILL of the primary, restarted", kill_primary, (THREE,)),
    Fault("mongod-frozen", f"mongod (the primary) frozen for {FROZEN_SECONDS:.0f} s", freeze_mongod(FROZEN_SECONDS)),
    Fault("mongod-hung", f"mongod (the primary) frozen for {AWAY_SECONDS:.0f} s", freeze_mongod(AWAY_SECONDS)),
    Fault("disk-full", "the database's disk full", fill_disk, (SINGLE, STANDALONE), on_small_disk=True),
    Fault("body-dripped", "a client that drips its body", drip, unnoticed=2.0),
    Fault("bodies-dripped", "as many of these as threads", hold_threads(body_of, drips=True), (SINGLE,)),
    Fault("heads-stalled", "as many that stop in a head", hold_threads(half_a_head, drips=False), (SINGLE,)),
    Fault("answers-cut", "a quarter of the answers cut", cut_answers, unnoticed=2.0, through_proxy=True),
)
