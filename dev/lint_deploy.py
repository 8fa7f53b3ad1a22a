"""Command of `make lint-deploy`: checks the files of a deployment with the programs that read them.

hadolint and the schema of compose files come with the development requirements; systemd, nginx, Caddy and Prometheus
are packages of the system. The command skips a check if its program is missing. If REQUIRE_DEPLOY_TOOLS is set, as in
CI, a missing program is a failure.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from blueprints.browser.viewers import VIEWERS, read_viewer

ROOT = Path(__file__).parents[1]
SECONDS = 60
# Limit for the exposure level of `systemd-analyze security`, in tenths: 0 is fully isolated, 100 is not isolated.
MAX_EXPOSURE = 20

# Writable paths for nginx, and the directives around a site in Debian's nginx.conf.
NGINX = """
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


class ToolMissing(Exception):
    """This machine lacks a program; the message is its name."""


@dataclass(frozen=True)
class Finding:
    """Result of a check: success, and the program's output."""

    ok: bool
    output: str


def main() -> int:
    """Runs every check and prints the results. Returns the exit code."""
    required = bool(os.environ.get("REQUIRE_DEPLOY_TOOLS"))
    failed = False
    for name, lint in LINTS.items():
        try:
            with tempfile.TemporaryDirectory(prefix="osdi-lint-") as folder:
                finding = lint(Path(folder))
        except ToolMissing as missing:
            failed |= required
            print(f"{name}: {'FAILED' if required else 'skipped'}, {missing} is not on this machine")
            continue
        failed |= not finding.ok
        print(f"{name}: {'ok' if finding.ok else 'FAILED'}")
        if not finding.ok:
            print(finding.output)
    return int(failed)


def lint_dockerfile(_: Path) -> Finding:
    """Checks the Dockerfile with hadolint. Warnings count as failures."""
    return _run("hadolint", "--no-color", str(ROOT / "Dockerfile"))


def lint_compose(_: Path) -> Finding:
    """Checks the compose file against the schema of the Compose Specification."""
    return _run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(ROOT / "compose.yaml"))


def lint_units(folder: Path) -> Finding:
    """Checks that systemd understands the services, and that they are isolated up to MAX_EXPOSURE.

    The programs of the services exist only on a server, so `true` replaces them.
    """
    true = shutil.which("true") or "/bin/true"
    units = ROOT / "deploy" / "systemd"
    names = sorted(unit.name for unit in units.glob("osdi-*"))
    for name in names:
        text = (units / name).read_text()
        (folder / name).write_text(
            re.sub(r"^(ExecStart=)/opt/osdi/app/.venv/bin/\S+", rf"\g<1>{true}", text, flags=re.M)
        )
    verified = _run("systemd-analyze", "verify", "--man=no", *(str(folder / name) for name in names))
    # systemd prints unknown keys without failing. Lines about the machine's own units are left out.
    warnings = [line for line in verified.output.splitlines() if any(name in line for name in names)]
    if warnings or not verified.ok:
        return Finding(False, "\n".join(warnings) or verified.output)
    security = ("security", "--no-pager", "--offline=true", f"--threshold={MAX_EXPOSURE}")
    for name in (each for each in names if each.endswith(".service")):
        exposed = _run("systemd-analyze", *security, str(folder / name))
        if not exposed.ok:
            return Finding(False, f"{name}: {exposed.output.strip().splitlines()[-1]}")
    return Finding(True, "")


def lint_nginx(folder: Path) -> Finding:
    """Checks the site with `nginx -t`, on a port that needs no privileges."""
    site = (ROOT / "deploy" / "nginx-site.conf").read_text()
    (folder / "site.conf").write_text(site.replace("listen 80;", "listen 127.0.0.1:18080;"))
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    return _run("nginx", "-t", "-q", "-p", str(folder), "-c", str(folder / "nginx.conf"))


def lint_caddy(folder: Path) -> Finding:
    """Checks the Caddyfile with `caddy validate`. Caddy stores its files in `folder`."""
    caddyfile = str(ROOT / "deploy" / "Caddyfile")
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return _run("caddy", "validate", "--config", caddyfile, "--adapter", "caddyfile", **environment)


def lint_alerts(_: Path) -> Finding:
    """Checks the alerts with promtool, which comes with Prometheus."""
    return _run("promtool", "check", "rules", str(ROOT / "deploy" / "alerts.yml"))


def lint_viewers(_: Path) -> Finding:
    """Checks that the files of Swagger UI and ReDoc are those of their npm releases."""
    try:
        for name in VIEWERS:
            read_viewer(name)
    except RuntimeError as error:
        return Finding(False, str(error))
    return Finding(True, "")


def lint_script(_: Path) -> Finding:
    """Checks the syntax of the command `osdi` with the shell."""
    return _run("sh", "-n", str(ROOT / "deploy" / "osdi"))


LINTS: dict[str, Callable[[Path], Finding]] = {
    "Dockerfile": lint_dockerfile,
    "compose.yaml": lint_compose,
    "deploy/systemd": lint_units,
    "deploy/nginx-site.conf": lint_nginx,
    "deploy/Caddyfile": lint_caddy,
    "deploy/alerts.yml": lint_alerts,
    "deploy/osdi": lint_script,
    "Swagger UI and ReDoc": lint_viewers,
}


def find_program(name: str) -> str:
    """Returns the path of a program, from this environment, PATH or /usr/sbin. Raises ToolMissing."""
    path = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", ""), "/usr/sbin"))
    found = shutil.which(name, path=path)
    if found is None:
        raise ToolMissing(name)
    return found


def _run(program: str, *arguments: str, **environment: str) -> Finding:
    ended = subprocess.run(
        [find_program(program), *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    return Finding(ended.returncode == 0, ended.stdout)


if __name__ == "__main__":
    sys.exit(main())
