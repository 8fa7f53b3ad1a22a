"""Command of `make dist`: writes the files of a release into dist/ (`python -m dev.dist`).

- `osdi_outreach_server-VERSION.tar.gz`, a source distribution (PEP 517): exactly the files of `SHIPPED`.
- `osdi-outreach-server-VERSION-PYTHON-PLATFORM.tar.gz`: the same files, the wheels of all packages in `wheels/`, and
  `requirements.lock` with the hash of each wheel. It can be installed without a network.
- `SHA256SUMS`, the hashes of both.

Two runs on the same commit write the same bytes, if pip finds the same wheels: names, order, modes and owners are
fixed, and each file has the date of the commit.
"""

import argparse
import gzip
import hashlib
import io
import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
NAME: Final = "osdi-outreach-server"
# Files and folders of a release. Files for developers stay out: tests, dev, bench, faults, Makefile.
SHIPPED: Final = (
    *(
        ".dockerignore",
        ".python-version",
        "CHANGELOG.md",
        "Dockerfile",
        "LICENSE",
        "Procfile",
        "README.md",
        "SECURITY.md",
    ),
    *("app.json", "app.py", "compose.yaml", "gunicorn.conf.py", "openapi.json", "pyproject.toml", "requirements.txt"),
    *("wsgi.py", "bin", "blueprints", "deploy", "docs", "examples", "osdi", "schemas"),
)
LOCK: Final = "requirements.lock"
WHEELS: Final = "wheels"
SUMS: Final = "SHA256SUMS"
# Makes setuptools put each file of the folder into the source distribution, not only the modules.
MANIFEST: Final = b"graft .\nprune *.egg-info\n"
SECONDS: Final = 600
# Of gzip. Wheels are compressed already.
LEVEL: Final = 6
EXECUTABLE, READABLE = 0o755, 0o644


class CannotRelease(Exception):
    """No release can be made of this folder; the message says what to do."""


def version(root: Path) -> str:
    """Returns the version of the program in this folder."""
    return str(runpy.run_path(str(root / "osdi" / "version.py"))["VERSION"])


def shipped(root: Path) -> dict[str, Path]:
    """Returns the files of a release by their names. In a clone, these are files that are committed."""
    if (root / ".git").exists():
        listed = _git(root, "ls-files", "-z", "--", *SHIPPED).split("\0")
        names = [name for name in listed if name]
    else:
        found = (path for each in SHIPPED for path in [root / each, *(root / each).rglob("*")] if path.is_file())
        names = [path.relative_to(root).as_posix() for path in found if "__pycache__" not in path.parts]
    return {name: root / name for name in sorted(names)}


def release_date(root: Path) -> int:
    """Returns the date of the commit, or SOURCE_DATE_EPOCH (reproducible-builds.org), in seconds.

    Raises CannotRelease if files differ from the commit, or if there is neither.
    """
    if date := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(date)
    if not (root / ".git").exists():
        raise CannotRelease("This folder is not a clone: set SOURCE_DATE_EPOCH to the date of the release, in seconds.")
    if changed := _git(root, "status", "--porcelain", "--", *SHIPPED):
        raise CannotRelease(f"Commit or remove these files first:\n{changed.rstrip()}")
    return int(_git(root, "log", "-1", "--format=%ct"))


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments],  # noqa: S607  # a developer has it on PATH
        cwd=root,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
    ).stdout


def download_wheels(requirements: Path, folder: Path, python: str | None) -> None:
    """Downloads the wheels of all pinned packages, for this Python or for another one, such as 3.12."""
    other = ["--python-version", python] if python else []
    command = ["pip", "download", "--quiet", "--only-binary=:all:", *other, "--dest", str(folder)]
    subprocess.run([sys.executable, "-m", *command, "-r", str(requirements)], check=True, timeout=SECONDS)


def lock(wheels: Iterable[Path]) -> str:
    """Returns the text of requirements.lock: each package with its version and the hash of its wheel."""
    lines = [f"# Made by `make dist`. Install: pip install --no-index --find-links {WHEELS} --require-hashes -r {LOCK}"]
    for wheel in sorted(wheels):
        name, number = wheel.name.split("-")[:2]
        normalized = re.sub(r"[-_.]+", "-", name).lower()
        lines.append(f"{normalized}=={number} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}")
    return "\n".join(lines) + "\n"


def write_archive(
    file: Path, folder: str, contents: Mapping[str, Path | bytes], date: int, *, level: int = LEVEL
) -> None:
    """Writes a .tar.gz with all files in one folder. Its bytes depend on the contents, the date and the level only."""
    parents = {parent.as_posix() for name in contents for parent in Path(folder, name).parents} - {"."}
    with (
        file.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", compresslevel=level, fileobj=raw, mtime=date) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted({*parents, *(f"{folder}/{each}" for each in contents)}):
            entry = tarfile.TarInfo(name)
            entry.mtime = date
            if name in parents:
                entry.type, entry.mode = tarfile.DIRTYPE, EXECUTABLE
                archive.addfile(entry)
                continue
            content = contents[name.removeprefix(f"{folder}/")]
            data = content if isinstance(content, bytes) else content.read_bytes()
            runs = isinstance(content, Path) and os.access(content, os.X_OK)
            entry.size, entry.mode = len(data), EXECUTABLE if runs else READABLE
            archive.addfile(entry, io.BytesIO(data))


def unpack(file: Path, folder: Path) -> None:
    """Unpacks an archive that this module or setuptools has made."""
    with tarfile.open(file) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(folder, filter="data")
        else:  # Python 3.11.2, of Debian 12
            archive.extractall(folder)  # noqa: S202  # no archive of others


def write_tarball(root: Path, wheels: Path, folder: Path, tag: str, date: int, *, level: int = LEVEL) -> Path:
    """Writes the tarball with the program and its wheels, and returns its path."""
    files = sorted(wheels.glob("*.whl"))
    contents: dict[str, Path | bytes] = {**shipped(root), **{f"{WHEELS}/{each.name}": each for each in files}}
    contents[LOCK] = lock(files).encode()
    release = f"{NAME}-{version(root)}"
    tarball = folder / f"{release}-{tag}.tar.gz"
    write_archive(tarball, release, contents, date, level=level)
    return tarball


def write_source_distribution(root: Path, folder: Path, date: int) -> Path:
    """Builds the source distribution with the build system of pyproject.toml, and returns its path.

    setuptools dates the files with the time of the build, so they are packed again. Raises CannotRelease if it leaves
    files out.
    """
    with tempfile.TemporaryDirectory(prefix="osdi-dist-") as scratch:
        stage, tools, built = (Path(scratch, name) for name in ("stage", "tools", "built"))
        for name, path in shipped(root).items():
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, stage / name)
        (stage / "MANIFEST.in").write_bytes(MANIFEST)
        required = tomllib.loads((root / "pyproject.toml").read_text())["build-system"]["requires"]
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(tools), *required]
        subprocess.run(install, check=True, timeout=SECONDS)
        built.mkdir()
        build = f"from setuptools import build_meta; build_meta.build_sdist({str(built)!r})"
        environment = {**os.environ, "PYTHONPATH": str(tools)}
        subprocess.run(
            [sys.executable, "-c", build],
            cwd=stage,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=SECONDS,
        )
        (made,) = built.iterdir()
        unpack(made, Path(scratch))
        unpacked = Path(scratch, made.name.removesuffix(".tar.gz"))
        paths = sorted(path for path in unpacked.rglob("*") if path.is_file())
        contents: dict[str, Path | bytes] = {path.relative_to(unpacked).as_posix(): path for path in paths}
        if left_out := shipped(root).keys() - contents.keys():
            raise CannotRelease(f"setuptools left these files out: {sorted(left_out)}")
        write_archive(folder / made.name, unpacked.name, contents, date)
        return folder / made.name


def verify(tarball: Path) -> None:
    """Installs the tarball into a scratch folder without an index, and runs a command of it.

    Raises subprocess.CalledProcessError if that fails.
    """
    with tempfile.TemporaryDirectory(prefix="osdi-dist-") as scratch:
        unpack(tarball, Path(scratch))
        (program,) = Path(scratch).iterdir()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        environment |= {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
        install = ["pip", "install", "--quiet", "--find-links", WHEELS, "--require-hashes", "-r", LOCK]
        for command in (
            [sys.executable, "-m", "venv", ".venv"],
            [".venv/bin/python", "-m", *install],
            ["bin/osdi", "--version"],
        ):
            subprocess.run(command, cwd=program, env=environment, check=True, timeout=SECONDS)


def sums(files: Iterable[Path]) -> str:
    """Returns the hashes of files in the form that `sha256sum --check` reads."""
    return "".join(f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in sorted(files))


def tag(python: str) -> str:
    """Returns the part of the tarball's name that says where its wheels fit, such as `cp311-linux_x86_64`."""
    return f"cp{python.replace('.', '')}-{re.sub(r'[-.]', '_', sysconfig.get_platform())}"


def this_python() -> str:
    """Returns the version of this Python, such as 3.11."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def main(arguments: list[str] | None = None) -> int:
    """Writes the release. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dev.dist", description="Write the files of a release into dist/.")
    parser.add_argument("--python", metavar="X.Y", help="the Python of the wheels, such as 3.12, instead of this one")
    chosen = parser.parse_args(arguments)
    folder = ROOT / "dist"
    try:
        date = release_date(ROOT)
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="osdi-wheels-") as wheels:
            download_wheels(ROOT / "requirements.txt", Path(wheels), chosen.python)
            tarball = write_tarball(ROOT, Path(wheels), folder, tag(chosen.python or this_python()), date)
        if not chosen.python:
            verify(tarball)
        files = [write_source_distribution(ROOT, folder, date), *folder.glob(f"{NAME}-{version(ROOT)}-*.tar.gz")]
    except (CannotRelease, subprocess.CalledProcessError) as error:
        print(f"dist: {error}", file=sys.stderr)
        return 1
    (folder / SUMS).write_text(sums(files))
    print((folder / SUMS).read_text(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
