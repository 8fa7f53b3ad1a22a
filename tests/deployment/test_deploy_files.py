"""Deployment files: each file fits the code, and `make lint-deploy` finds errors in them."""

import ast
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from dev import lint_deploy
from osdi.operations import worker_loop
from osdi.settings import Settings
from osdi.settings.table import ServerSettings
from osdi.store.request_deadline import RESPONSE_SECONDS

ROOT = Path(__file__).parents[2]
SERVICES = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
PROCFILE = dict(re.findall(r"^(\w+): (.+)$", (ROOT / "Procfile").read_text(), flags=re.MULTILINE))
LISTED = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), flags=re.MULTILINE))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = ("backup", "release", "web", "worker")
NGINX = (ROOT / "deploy" / "nginx-site.conf").read_text()
CADDYFILE = (ROOT / "deploy" / "Caddyfile").read_text()


def example() -> dict[str, str]:
    """Every setting of the example, also those that are commented out."""
    lines = re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / "deploy" / "osdi.env.example").read_text(), flags=re.MULTILINE)
    return {name: value.strip("'") for name, value in lines}


def gunicorn(name: str) -> int:
    """A number that gunicorn.conf.py sets."""
    for node in ast.parse((ROOT / "gunicorn.conf.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return int(ast.literal_eval(node.value))
    raise AssertionError(f"gunicorn.conf.py sets no {name}")


def directives(service: Path) -> dict[str, str]:
    """The last value of each directive of a unit."""
    return dict(re.findall(r"^(\w+)=(.*)$", service.read_text(), flags=re.MULTILINE))


class TestAppJson:
    app = json.loads((ROOT / "app.json").read_text())

    def test_names_existing_settings_and_describes_each(self) -> None:
        assert set(self.app["env"]) <= LISTED
        assert all(each["description"] for each in self.app["env"].values())

    def test_has_valid_default_values(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, each in self.app["env"].items():
            if "value" in each:
                monkeypatch.setenv(name, each["value"])
        monkeypatch.setenv("MONGODB_URI", "mongodb+srv://user:password@cluster.example.net/osdi")

        settings = Settings.from_environment()

        assert (settings.trusted_proxies, settings.rate_limit_storage) == (1, "mongodb")

    def test_requires_the_database_and_the_public_url(self) -> None:
        assert {name for name, each in self.app["env"].items() if each.get("required")} == {"MONGODB_URI", "PUBLIC_URL"}

    def test_starts_each_process_of_the_procfile(self) -> None:
        assert set(self.app["formation"]) == set(PROCFILE) - {"release"}


def test_the_example_of_settings_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = example()
    assert set(settings) <= LISTED
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    found = Settings.from_environment()

    assert found.vendor_name == "Friends of the River"
    assert (found.trusted_proxies, found.rate_limit_storage) == (1, "mongodb")


def test_the_example_of_settings_is_read_alike_by_the_command_osdi() -> None:
    """systemd and compose take quotes off too; a line that is commented out is none."""
    text = (ROOT / "deploy" / "osdi.env.example").read_text()
    uncommented = re.sub(r"^#(?=[A-Z_]+=)", "", text, flags=re.MULTILINE)

    assert dotenv_values(stream=io.StringIO(uncommented)) == example()


def test_the_command_osdi_reads_no_settings_of_where_it_is_called(tmp_path: Path) -> None:
    """Anybody may have put a file there; and the user that it runs as may not see every folder."""
    (tmp_path / "settings").write_text("MONGODB_URI=mongomock://\n")
    (tmp_path / ".env").write_text("NAMESPACE='Not One'\n")
    script = (ROOT / "deploy" / "osdi").read_text()
    for there, here in (
        ("runuser -u osdi -- /opt/osdi/app/.venv/bin/python", sys.executable),
        ("/etc/osdi/osdi.env", str(tmp_path / "settings")),
        ("/opt/osdi/app", str(ROOT)),
    ):
        assert script.count(there) == 1
        script = script.replace(there, here)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MONGODB_", "FLASK_"))}

    ended = subprocess.run(
        ["sh", "-c", script, "osdi", "indexes"], cwd=tmp_path, env=kept, capture_output=True, text=True, timeout=60
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("The database has ")


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.stem)
class TestSystemd:
    def test_runs_without_privileges(self, service: Path) -> None:
        found = directives(service)

        assert (found["User"], found["NoNewPrivileges"], found["ProtectSystem"]) == ("osdi", "yes", "strict")
        assert found["CapabilityBoundingSet"] == ""

    def test_all_have_the_same_restrictions(self, service: Path) -> None:
        def restrictions(of: Path) -> str:
            return re.findall(r"^NoNewPrivileges=.*?(?=\n\n|\Z)", of.read_text().rstrip(), flags=re.M | re.S)[0]

        assert restrictions(service) == restrictions(SERVICES[0])


@pytest.mark.parametrize("name", PROCFILE)
def test_systemd_runs_what_the_procfile_runs(name: str) -> None:
    service = ROOT / "deploy" / "systemd" / f"osdi-{name}.service"

    assert directives(service)["ExecStart"].removeprefix("/opt/osdi/app/.venv/bin/") == PROCFILE[name]


class TestTheNightlyBackup:
    systemd = (ROOT / "deploy" / "systemd" / "osdi-backup.service").read_text()
    compose = " ".join(COMPOSE["services"]["backup"]["command"])

    @pytest.mark.parametrize(
        ("text", "program", "folder"), [(systemd, "python app.py", "/var/backups/osdi"), (compose, "osdi", "/backup")]
    )
    def test_is_checked(self, text: str, program: str, folder: str) -> None:
        for options in ("--keep 14", "--check"):
            assert f"{program} backup {options} {folder}" in text

    def test_can_write_only_where_the_backups_are(self) -> None:
        assert "\nReadWritePaths=/var/backups/osdi\n" in self.systemd
        assert COMPOSE["services"]["backup"]["volumes"] == ["backup:/backup"]


@pytest.mark.parametrize("name", ["web", "worker"])
def test_services_have_a_limit_of_memory(name: str) -> None:
    assert directives(ROOT / "deploy" / "systemd" / f"osdi-{name}.service")["MemoryMax"]
    assert COMPOSE["services"][name]["mem_limit"]


def test_each_container_has_a_limit_of_its_log() -> None:
    assert all(service["logging"]["options"]["max-size"] for service in COMPOSE["services"].values())


@pytest.mark.parametrize(
    ("name", "seconds"), [("web", gunicorn("graceful_timeout")), ("worker", worker_loop.STOP_SECONDS)]
)
class TestWhoeverStopsIt:
    def test_systemd_gives_more_time_than_it_takes(self, name: str, seconds: float) -> None:
        found = directives(ROOT / "deploy" / "systemd" / f"osdi-{name}.service")

        assert int(found["TimeoutStopSec"]) > seconds
        assert found["Restart"] == "always"

    def test_compose_gives_more_time_than_it_takes(self, name: str, seconds: float) -> None:
        assert int(COMPOSE["services"][name]["stop_grace_period"].removesuffix("s")) > seconds


class TestProxies:
    def test_let_bodies_through_that_are_a_little_too_long_and_no_longer_ones(self) -> None:
        longest = 2 * Settings.max_body_bytes
        buffers = f"request_buffers {longest // 1024}KiB"

        assert f"client_max_body_size {longest // 1024}k;" in NGINX
        assert f"max_size {longest}\n" in CADDYFILE
        assert buffers in CADDYFILE
        assert COMPOSE["services"]["caddy"]["environment"]["OSDI_BUFFERING"] == buffers

    def test_let_the_files_of_staff_members_through(self) -> None:
        longest = 2 * Settings.max_import_bytes

        assert f"client_max_body_size {longest // 1_000_000}m;" in NGINX
        assert f"max_size {longest}\n" in CADDYFILE

    def test_overwrite_every_header_that_is_believed(self) -> None:
        for header in ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"):
            assert len(re.findall(rf"^ *proxy_set_header {header} \$\w+;$", NGINX, flags=re.M)) == 1

    def test_give_connections_up_before_we_do(self) -> None:
        """A platform's router does after 90 seconds."""
        kept = [*re.findall(r"^ *keepalive_timeout (\d+)s;$", NGINX, flags=re.M)]
        kept += re.findall(r"^\s*keepalive (\d+)s$", CADDYFILE, flags=re.M)

        assert len(kept) == 2
        assert max(90, *map(int, kept)) < gunicorn("keepalive")

    def test_wait_longer_for_a_response_than_it_takes(self) -> None:
        waits = re.findall(r"(?:proxy_read_timeout|response_header_timeout) (\d+)s", NGINX + CADDYFILE)

        assert len(waits) == 2
        assert min(map(int, waits)) > ServerSettings.body_seconds + RESPONSE_SECONDS

    def test_wait_for_slow_clients_themselves(self) -> None:
        assert "proxy_request_buffering on;" in NGINX
        assert "OSDI_BUFFERING:buffer_requests" in CADDYFILE


class TestContainers:
    dockerfile = (ROOT / "Dockerfile").read_text()
    last_stage = dockerfile[dockerfile.rindex("\nFROM ") :]
    copied = set(" ".join(re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, flags=re.M)).split())

    def test_have_the_python_that_the_platform_has(self) -> None:
        versions = re.findall(r"^FROM python:(\d+\.\d+)", self.dockerfile, flags=re.M)

        assert set(versions) == {(ROOT / ".python-version").read_text().strip()}

    def test_run_without_privileges(self) -> None:
        assert int(re.findall(r"^USER (\d+)$", self.last_stage, flags=re.M)[-1]) > 0
        assert all("user" not in COMPOSE["services"][name] for name in OURS)

    def test_are_readable_also_where_the_umask_of_the_clone_was_strict(self) -> None:
        """COPY keeps modes, and the user that it runs as owns nothing."""
        lines = self.last_stage.splitlines()
        (chmod,) = (number for number, line in enumerate(lines) if line.startswith("RUN chmod -R a+rX . "))

        assert max(number for number, line in enumerate(lines) if line.startswith("COPY")) < chmod
        assert chmod < lines.index("USER 10001")

    def test_get_nothing_that_a_developer_needs(self) -> None:
        assert not {"requirements-dev.txt", "dev", "tests", "."} & self.copied
        assert "requirements.txt" in self.copied

    def test_the_build_context_has_only_the_copied_files(self) -> None:
        lines = (ROOT / ".dockerignore").read_text().splitlines()

        assert lines[1] == "*"
        assert {line[1:] for line in lines if line.startswith("!")} == self.copied

    def test_serve_and_say_whether_they_are_well(self) -> None:
        assert "/healthz" in re.findall(r"^HEALTHCHECK.*\n.*$", self.last_stage, flags=re.M)[0]
        assert json.loads(re.findall(r"^CMD (.+)$", self.last_stage, flags=re.M)[-1]) == PROCFILE["web"].split()


class TestCompose:
    services = COMPOSE["services"]

    @pytest.mark.parametrize("name", ["release", "worker"])
    def test_runs_what_the_procfile_runs(self, name: str) -> None:
        assert self.services[name]["command"] == PROCFILE[name].split()

    @pytest.mark.parametrize("name", OURS)
    def test_shuts_our_services_off(self, name: str) -> None:
        service = self.services[name]

        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]

    def test_starts_again_what_ended_but_the_preparation(self) -> None:
        restarts = {name: service["restart"] for name, service in self.services.items()}

        assert restarts.pop("release") == "no"
        assert set(restarts.values()) == {"unless-stopped"}

    def test_publishes_nothing_to_the_world_but_the_proxy(self) -> None:
        for name, service in self.services.items():
            for port in service.get("ports", ()):
                assert name == "caddy" or port.startswith("127.0.0.1:")

    def test_keeps_the_data(self) -> None:
        assert "mongo:/data/db" in self.services["mongo"]["volumes"]
        assert "mongo" in COMPOSE["volumes"]

    def test_names_one_replica_set_by_one_address(self) -> None:
        uri = self.services["web"]["environment"]["MONGODB_URI"]
        check = self.services["mongo"]["healthcheck"]["test"][-1]

        assert uri == "mongodb://mongo:27017/osdi?replicaSet=rs0"
        assert self.services["mongo"]["command"][1:3] == ["--replSet", "rs0"]
        assert '_id: "rs0"' in check
        assert 'host: "mongo:27017"' in check


BROKEN = [
    ("Dockerfile", "Dockerfile", "COPY requirements.txt .", "RUN cd /tmp && sudo true"),
    ("compose.yaml", "compose.yaml", "    restart: unless-stopped\n", "    restarts: unless-stopped\n"),
    ("deploy/systemd", "deploy/systemd/osdi-web.service", "ProtectClock=yes", "ProtectClok=yes"),
    ("deploy/systemd", "deploy/systemd/osdi-worker.service", "Type=exec", "Type=execute"),
    ("deploy/systemd", "deploy/systemd/osdi-release.service", "CapabilityBoundingSet=\n", ""),
    ("deploy/nginx-site.conf", "deploy/nginx-site.conf", "proxy_buffering on;", "proxy_buffering on"),
    ("deploy/Caddyfile", "deploy/Caddyfile", "max_size 524288", "max_sise 524288"),
    ("deploy/systemd", "deploy/systemd/osdi-backup.timer", "OnCalendar=*-*-* 02:30", "OnCalendar=nightly"),
    ("deploy/alerts.yml", "deploy/alerts.yml", "expr: up{", "expr: up{{"),
    ("deploy/osdi", "deploy/osdi", "set -eu", "if true"),
]


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that are linted, copied to be broken."""
    for name in ("Dockerfile", "compose.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    monkeypatch.setattr(lint_deploy, "ROOT", tmp_path)
    return tmp_path


def lint(name: str, folder: Path) -> lint_deploy.Finding:
    folder.mkdir()
    try:
        return lint_deploy.LINTS[name](folder)
    except lint_deploy.ToolMissing as missing:
        if os.environ.get("REQUIRE_DEPLOY_TOOLS"):
            raise
        pytest.skip(f"{missing} is not on this machine")


class TestLintDeploy:
    @pytest.mark.parametrize("name", lint_deploy.LINTS)
    def test_accepts_the_files_of_this_project(self, copied: Path, name: str) -> None:
        finding = lint(name, copied / "lint")

        assert finding.ok, finding.output

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(("name", "file", "good", "bad"), BROKEN)
    def test_finds_errors(self, copied: Path, name: str, file: str, good: str, bad: str) -> None:
        text = (copied / file).read_text()
        assert good in text
        (copied / file).write_text(text.replace(good, bad, 1))

        finding = lint(name, copied / "lint")

        assert not finding.ok
        assert finding.output

    def test_reports_a_missing_program_and_fails_in_ci(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def missing(_: Path) -> lint_deploy.Finding:
            raise lint_deploy.ToolMissing("hadolint")

        monkeypatch.setattr(lint_deploy, "LINTS", {"Dockerfile": missing})
        monkeypatch.delenv("REQUIRE_DEPLOY_TOOLS", raising=False)
        assert lint_deploy.main() == 0
        assert capsys.readouterr().out == "Dockerfile: skipped, hadolint is not on this machine\n"

        monkeypatch.setenv("REQUIRE_DEPLOY_TOOLS", "1")
        assert lint_deploy.main() == 1
