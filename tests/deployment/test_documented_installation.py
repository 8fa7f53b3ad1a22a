"""The commands of docs/deploying.md for a small server, read from the page and typed into a machine of this test.

The machine (dev/debian/machine.py) has its own root folder, users, processes, a network without a connection, and a
systemd that runs the units as they are. A release of this folder is installed; its wheels are made of the packages that
run the tests. Replaced are (dev/debian/stand_ins.py): `apt-get`, and `curl` and `gpg` for the key of MongoDB's
packages, which record that they were called; MongoDB's package, by the packaged mongod and a unit; `mongosh`, by the
two expressions of the page; `sudo`, since the shell is root's; `nano`, which types the settings that the page asks for.
`make week` does the rest: upgrade and going back under load.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from dev import dist
from dev.debian import documented
from dev.debian.documented import Command, follow, section
from dev.debian.machine import CannotStart, Machine
from dev.debian.wheels import wheels_of_installed
from osdi.resources import API
from osdi.version import VERSION
from tests.support import factories

PAGE = "deploying.md"
URL = "http://127.0.0.1:5000"
# The build of the release that the page names; that of this machine replaces it.
BUILD = "cp311-linux_x86_64"
DATE = 1_700_000_000
HOST = {"Host": "osdi.your-name.org"}
SECONDS = 60
# Nothing imports these data of places and of carriers. pip would compile 20 MB.
NOT_IMPORTED = ("phonenumbers/geodata/", "phonenumbers/carrierdata/")
# The second process does what the first one does. tests/deployment/test_two_servers.py has several.
ONE_PROCESS = "sed -i s/^WEB_CONCURRENCY=.*/WEB_CONCURRENCY=1/ /etc/osdi/osdi.env"


@dataclass
class Server:
    """The installed server, and the token that the page creates."""

    machine: Machine
    token: str

    def request(self, method: str, path: str, **options: object) -> requests.Response:
        with self.machine.network():
            return requests.request(
                method, URL + path, headers={"OSDI-API-Token": self.token}, timeout=SECONDS, **options
            )

    def people(self) -> set[str]:
        """Returns the e-mail addresses of all people."""
        found = self.request("GET", f"{API}/people").json()["_embedded"]["osdi:people"]
        return {entry["address"] for person in found for entry in person["email_addresses"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("release")
    wheels = tmp_path_factory.mktemp("wheels")
    wheels_of_installed(dist.ROOT / "requirements.txt", wheels, without=NOT_IMPORTED)
    tarball = dist.write_tarball(dist.ROOT, wheels, folder, dist.tag(dist.this_python()), DATE, level=0)
    (folder / dist.SUMS).write_text(dist.sums([tarball]))
    try:
        with Machine() as machine:
            machine.put(tarball)
            machine.put(folder / dist.SUMS)
            for heading in ("### 1. MongoDB", "### 2. The program", "### 3. Settings", "### 4. Start"):
                printed = follow(machine, PAGE, heading, {BUILD: dist.tag(dist.this_python())})
                if "Settings" in heading:
                    machine.run(ONE_PROCESS)
            yield Server(machine, re.findall(r"^osdi_\S+$", printed, flags=re.MULTILINE)[0])
    except CannotStart as error:
        pytest.skip(str(error))


@pytest.mark.slow
@pytest.mark.waits
class TestTheInstalledServer:
    def test_is_this_version_and_ready(self, server: Server) -> None:
        assert server.request("GET", "/healthz").json() == {"status": "alive", "version": VERSION}
        assert server.request("GET", "/readyz").json() == {"status": "ready"}

    def test_runs_without_privileges_and_cannot_change_the_program(self, server: Server) -> None:
        web, worker = (
            server.machine.run(f"ps -o user= -p $(systemctl show --property MainPID --value {unit})").output
            for unit in ("osdi-web", "osdi-worker")
        )

        assert (web, worker) == ("osdi", "osdi")
        assert server.machine.run("find /opt/osdi ! -user root").output == ""

    def test_restores_the_nightly_backup_after_its_disk_was_lost(self, server: Server) -> None:
        campaign = server.request("POST", f"{API}/advocacy_campaigns", json={"title": "The river"}).json()
        helper = campaign["_links"]["osdi:record_outreach_helper"]["href"].removeprefix("https://osdi.river.test")
        for name in ("before", "also.before"):
            assert server.request("POST", helper, json=factories.by_email(f"{name}@example.com")).status_code == 200
        follow(server.machine, PAGE, "### 6. Backups")
        recorded = server.people()

        server.machine.run("systemctl kill --signal KILL --kill-whom all mongod; rm -r /var/lib/mongodb/*")
        follow(server.machine, PAGE, "### 9. If the disk of the database is lost")

        assert server.people() == recorded == {"before@example.com", "also.before@example.com"}

    def test_reports_metrics(self, server: Server) -> None:
        """The numbers of the page are examples."""
        commands = section("monitoring.md", "## Switch it on")

        printed = [server.machine.run(each.text).output for each in commands][-1]

        assert "osdi_database_up 1.0" in printed.splitlines()

    def test_responds_through_nginx(self, server: Server) -> None:
        """Certbot, which comes after it, asks for a certificate on the internet."""
        if server.machine.run("systemctl start nginx", check=False).code:
            pytest.skip("nginx is not on this machine")
        commands = section(PAGE, "### 5. HTTPS in front")
        first = next(number for number, each in enumerate(commands) if "apt-get install --yes nginx" in each.text)
        last = next(number for number, each in enumerate(commands) if "certbot --nginx" in each.text)

        for command in [commands[0], *commands[first:last]]:
            assert command.shows(server.machine.run(command.text).output)

        # nginx reloads after the command has ended.
        ends = time.monotonic() + SECONDS
        with server.machine.network():
            while (
                response := requests.get("http://127.0.0.1/healthz", headers=HOST, timeout=SECONDS)
            ).status_code == 404:
                assert time.monotonic() < ends
                time.sleep(0.1)
        assert response.json()["version"] == VERSION


class TestAPage:
    def test_has_commands_below_each_heading_of_a_small_server(self) -> None:
        text = (dist.ROOT / "docs" / PAGE).read_text()
        headings = re.findall(r"^### \d\. .+$", text, flags=re.MULTILINE)

        assert [section(PAGE, each) for each in headings]
        assert len(headings) == 9

    def test_of_the_procfile_starts_its_processes(self) -> None:
        """`tests/operations/test_procfile.py` starts them by honcho."""
        processes = re.findall(r"^(\w+): ", (dist.ROOT / "Procfile").read_text(), flags=re.MULTILINE)
        commands = [each.text.split() for each in section(PAGE, "### The same on your own machine")]

        started = [name for words in commands if words[:2] == ["honcho", "start"] for name in words[2:]]
        assert started == processes

    @pytest.mark.parametrize(
        ("shown", "printed", "same"),
        [
            (["ready"], "ready\n", True),
            (["ready"], "not ready", False),
            ([], "anything", True),
            (["osdi_..."], "osdi_2ps6", True),
            (["first", "...", "last"], "first\nsecond\nthird\nlast", True),
            (["first", "..."], "second", False),
            (["[#]"], "#", False),
        ],
    )
    def test_shows_the_output_of_a_command(self, shown: list[str], printed: str, same: bool) -> None:
        assert Command("true", tuple(shown)).shows(printed) is same

    def test_has_commands_of_several_lines(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        block = "```console\n$ echo 1 \\\n    2  # a comment\n1 2\n$ true\n```\n"
        (tmp_path / "page.md").write_text(f"## One\n\n{block}\n## Two\n\n{block}")
        monkeypatch.setattr(documented, "DOCS", tmp_path)

        assert section("page.md", "## One") == [
            Command("echo 1 \\\n    2  # a comment", ("1 2",)),
            Command("true", ()),
        ]
