"""The container's image without a container: what the Dockerfile copies serves, and its health check sees that."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev.mongod import free_port
from tests.support.live import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
LAST_STAGE = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
SECONDS = 30


@dataclass
class Image:
    """The files of the image, in a folder, and the environment of a container."""

    folder: Path
    environment: dict[str, str]

    def python(self, *command: str) -> "subprocess.Popen[bytes]":
        """Starts a program of the image with the Python that runs the tests."""
        return subprocess.Popen([sys.executable, *command], cwd=self.folder, env=self.environment)

    def is_healthy(self) -> bool:
        """True if the image's health check succeeds."""
        command = json.loads(re.findall(r"^HEALTHCHECK.*\n +CMD (.+)$", LAST_STAGE, flags=re.M)[0])
        assert command[0] == "python"
        ended = subprocess.run(
            [sys.executable, *command[1:]], env=self.environment, capture_output=True, timeout=SECONDS
        )
        return ended.returncode == 0


@pytest.fixture
def image(tmp_path: Path) -> Image:
    folder = tmp_path / "image"
    folder.mkdir()
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", LAST_STAGE, flags=re.M):
        for source in sources.split():
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, folder / source, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, folder)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    chosen = {"PORT": str(free_port()), "HOST": "127.0.0.1", "MONGODB_URI": "mongomock://"}
    return Image(folder, {**kept, **chosen, "PYTHONDONTWRITEBYTECODE": "1"})


def test_serves_is_healthy_stops_on_sigterm_and_writes_nothing(image: Image) -> None:
    program, *arguments = json.loads(re.findall(r"^CMD (.+)$", LAST_STAGE, flags=re.M)[-1])
    assert not image.is_healthy()

    web = image.python("-m", program, *arguments)
    try:
        ends = time.monotonic() + SECONDS
        while not image.is_healthy():
            assert web.poll() is None
            assert time.monotonic() < ends
    finally:
        web.send_signal(signal.SIGTERM)
        assert web.wait(SECONDS) == 0

    assert not image.is_healthy()
    assert not list(image.folder.rglob("__pycache__"))


@pytest.mark.parametrize("command", ["worker", "indexes"])
def test_the_other_commands_are_there_too(image: Image, command: str) -> None:
    assert image.python("-m", "flask", "--app", "wsgi", command, "--help").wait(SECONDS) == 0


@pytest.mark.parametrize(
    ("path", "words"),
    [("/act/unknown", "Diese Seite gibt es nicht"), ("/staff/sign-in", "Sign in")],
    ids=["act", "staff"],
)
def test_pages_have_their_templates_translations_and_style_sheets(image: Image, path: str, words: str) -> None:
    script = f"""
import re
from wsgi import app
browser = app.test_client()
page = browser.get({path!r}, headers={{"Accept-Language": "de"}}).text
(style,) = re.findall('<link rel="stylesheet" href="([^"]+)"', page)
raise SystemExit({words!r} not in page or browser.get(style).status_code != 200)
"""
    assert image.python("-c", script).wait(SECONDS) == 0
