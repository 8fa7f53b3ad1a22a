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
SECONDS = 60


@dataclass
class Image:
    """The files of the image, in a folder, and the environment of a container."""

    folder: Path
    environment: dict[str, str]

    def python(self, *command: str) -> "subprocess.Popen[bytes]":
        """Starts a program of the image with the Python that runs the tests."""
        return subprocess.Popen([sys.executable, *command], cwd=self.folder, env=self.environment)

    def files(self) -> set[Path]:
        return set(self.folder.rglob("*"))

    def is_healthy(self) -> bool:
        """True if the image's health check succeeds."""
        command = json.loads(re.findall(r"^HEALTHCHECK.*\n +CMD (.+)$", LAST_STAGE, flags=re.M)[0])
        assert command[0] == "python"
        ended = subprocess.run(
            [sys.executable, *command[1:]], env=self.environment, capture_output=True, timeout=SECONDS
        )
        return ended.returncode == 0


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The copied files have their dates, so that the bytecode beside them is used, as in the image."""
    folder = tmp_path_factory.mktemp("image")
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", LAST_STAGE, flags=re.M):
        for source in sources.split():
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, folder / source)
            else:
                shutil.copy2(ROOT / source, folder)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    chosen = {"PORT": str(free_port()), "HOST": "127.0.0.1", "MONGODB_URI": "mongomock://", "WEB_CONCURRENCY": "1"}
    return Image(folder, {**kept, **chosen, "PYTHONDONTWRITEBYTECODE": "1"})


def test_serves_is_healthy_stops_on_sigterm_and_writes_nothing(image: Image) -> None:
    program, *arguments = json.loads(re.findall(r"^CMD (.+)$", LAST_STAGE, flags=re.M)[-1])
    assert not image.is_healthy()
    files = image.files()

    web = image.python("-m", program, *arguments)
    try:
        ends = time.monotonic() + SECONDS
        while not image.is_healthy():
            assert web.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.3)
    finally:
        web.send_signal(signal.SIGTERM)
        assert web.wait(SECONDS) == 0

    assert not image.is_healthy()
    assert image.files() == files


@pytest.mark.slow
def test_the_other_commands_the_templates_the_translations_and_the_style_sheets_are_there_too(image: Image) -> None:
    script = """
import re
from wsgi import app
for command in ("worker", "indexes"):
    assert app.test_cli_runner().invoke(args=[command, "--help"]).exit_code == 0, command
browser = app.test_client()
for path, words in (("/act/unknown", "Diese Seite gibt es nicht"), ("/staff/sign-in", "Sign in")):
    page = browser.get(path, headers={"Accept-Language": "de"}).text
    (style,) = re.findall('<link rel="stylesheet" href="([^"]+)"', page)
    assert words in page, path
    assert browser.get(style).status_code == 200, style
"""
    assert image.python("-c", script).wait(SECONDS) == 0
