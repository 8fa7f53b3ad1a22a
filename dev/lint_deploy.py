"""`make lint-deploy`: what deployments are made from, held against the programs that will read it.

hadolint and the schema of compose files come with the development requirements; systemd, nginx and Caddy are packages
of the system. One that is missing is skipped with a word, or, where REQUIRE_DEPLOY_TOOLS is set as in CI, a failure.
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

ROOT = Path(__file__).parents[1]
SECONDS = 60
# What `systemd-analyze security` thinks of a service in tenths: 0 is shut off from everything, 100 is not at all.
MOST_EXPOSED = 20

# Files that nginx would write to, and what Debian's nginx.conf has around a site.
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
    """A program is not on this machine; the message is its name."""


@dataclass(frozen=True)
class Finding:
    """What a program said, and whether it is content."""

    good: bool
    said: str


def main() -> int:
    """Run every lint; returns the exit code."""
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
        failed |= not finding.good
        print(f"{name}: {'ok' if finding.good else 'FAILED'}")
        if not finding.good:
            print(finding.said)
    return int(failed)


def lint_dockerfile(_: Path) -> Finding:
    """hadolint, every warning counted."""
    return _run("hadolint", "--no-color", str(ROOT / "Dockerfile"))


def lint_compose(_: Path) -> Finding:
    """The compose file against the schema of the Compose Specification."""
    return _run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(ROOT / "compose.yaml"))


def lint_units(folder: Path) -> Finding:
    """What systemd does not know or cannot do, and whether the services are shut off as far as they are meant to be.

    The programs that they start are installed on a server only; another stands in for them.
    """
    true = shutil.which("true") or "/bin/true"
    units = ROOT / "deploy" / "systemd"
    names = sorted(unit.name for unit in units.glob("*.service"))
    for name in names:
        text = (units / name).read_text()
        (folder / name).write_text(re.sub(r"^(ExecStart=)/opt/osdi/venv/bin/\S+", rf"\g<1>{true}", text, flags=re.M))
    verified = _run("systemd-analyze", "verify", "--man=no", *(str(folder / name) for name in names))
    # An unknown key is told and does not count as failure; of the machine's own units nothing is said here.
    told = [line for line in verified.said.splitlines() if any(name in line for name in names)]
    if told or not verified.good:
        return Finding(False, "\n".join(told) or verified.said)
    security = ("security", "--no-pager", "--offline=true", f"--threshold={MOST_EXPOSED}")
    for name in names:
        exposed = _run("systemd-analyze", *security, str(folder / name))
        if not exposed.good:
            return Finding(False, f"{name}: {exposed.said.strip().splitlines()[-1]}")
    return Finding(True, "")


def lint_nginx(folder: Path) -> Finding:
    """`nginx -t` on the site, on a port that everybody may listen on."""
    site = (ROOT / "deploy" / "nginx-site.conf").read_text()
    (folder / "site.conf").write_text(site.replace("listen 80;", "listen 127.0.0.1:18080;"))
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    return _run("nginx", "-t", "-q", "-p", str(folder), "-c", str(folder / "nginx.conf"))


def lint_caddy(folder: Path) -> Finding:
    """`caddy validate`; what Caddy keeps on disk goes to a folder of its own."""
    caddyfile = str(ROOT / "deploy" / "Caddyfile")
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return _run("caddy", "validate", "--config", caddyfile, "--adapter", "caddyfile", **environment)


def lint_script(_: Path) -> Finding:
    """The shell's own look at the command `osdi`."""
    return _run("sh", "-n", str(ROOT / "deploy" / "osdi"))


LINTS: dict[str, Callable[[Path], Finding]] = {
    "Dockerfile": lint_dockerfile,
    "compose.yaml": lint_compose,
    "deploy/systemd": lint_units,
    "deploy/nginx-site.conf": lint_nginx,
    "deploy/Caddyfile": lint_caddy,
    "deploy/osdi": lint_script,
}


def find_program(name: str) -> str:
    """Where a program is: beside this Python, on PATH, or where administrators' programs are. Raises ToolMissing."""
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
