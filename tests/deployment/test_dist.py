"""`make dist`: the files of a release, their dates and modes, and the hashes that an installation checks."""

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from dev import dist
from osdi.version import VERSION

DATE = 1_700_000_000
RELEASE = f"osdi-outreach-server-{VERSION}"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel of a package that has one module."""
    folder = tmp_path_factory.mktemp("wheels")
    info = "a_package-1.0.dist-info"
    with zipfile.ZipFile(folder / "a_package-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("a_package.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: a.package\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"a_package.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return folder


@pytest.fixture(scope="module")
def tarball(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dist.write_tarball(dist.ROOT, wheels, tmp_path_factory.mktemp("out"), "cp311-linux_x86_64", DATE, level=1)


def lock(tarball: Path) -> list[str]:
    with tarfile.open(tarball) as archive:
        found = archive.extractfile(f"{RELEASE}/requirements.lock")
        assert found is not None
        return found.read().decode().splitlines()


class TestTheTarball:
    def test_is_named_for_version_python_and_platform(self, tarball: Path) -> None:
        assert tarball.name == f"{RELEASE}-cp311-linux_x86_64.tar.gz"

    def test_has_the_program_and_its_packages_and_nothing_for_developers(self, tarball: Path) -> None:
        with tarfile.open(tarball) as archive:
            names = {name.removeprefix(f"{RELEASE}/") for name in archive.getnames()}

        assert {name.partition("/")[0] for name in names} - {RELEASE} == {*dist.SHIPPED, "wheels", "requirements.lock"}
        assert "wheels/a_package-1.0-py3-none-any.whl" in names
        assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]

    def test_has_all_files_of_the_image(self) -> None:
        dockerfile = (dist.ROOT / "Dockerfile").read_text()
        copied = " ".join(re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, flags=re.MULTILINE)).split()

        assert set(copied) <= set(dist.SHIPPED)

    def test_has_fixed_dates_owners_and_modes(self, tarball: Path) -> None:
        with tarfile.open(tarball) as archive:
            entries = archive.getmembers()

        assert {(each.mtime, each.uid, each.gid, each.uname) for each in entries} == {(DATE, 0, 0, "")}
        assert {each.mode for each in entries} == {0o755, 0o644}
        runs = {each.name for each in entries if each.isfile() and each.mode == 0o755}
        assert runs == {f"{RELEASE}/bin/osdi", f"{RELEASE}/deploy/osdi"}

    def test_is_the_same_the_second_time(self, tarball: Path, wheels: Path, tmp_path: Path) -> None:
        again = dist.write_tarball(dist.ROOT, wheels, tmp_path, "cp311-linux_x86_64", DATE, level=1)

        assert again.read_bytes() == tarball.read_bytes()
        assert dist.sums([again]) == f"{hashlib.sha256(tarball.read_bytes()).hexdigest()}  {tarball.name}\n"


class TestTheLock:
    def test_names_each_wheel_with_its_hash(self, tarball: Path, wheels: Path) -> None:
        digest = hashlib.sha256(next(wheels.iterdir()).read_bytes()).hexdigest()

        assert lock(tarball)[1:] == [f"a-package==1.0 --hash=sha256:{digest}"]

    def test_lets_pip_install_the_wheels_as_they_are_only(self, tarball: Path, wheels: Path, tmp_path: Path) -> None:
        (tmp_path / "lock").write_text("\n".join(lock(tarball)))
        (wheel,) = wheels.iterdir()
        shutil.copy(wheel, tmp_path)
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", str(tmp_path)]
        install += ["--require-hashes", "-r", str(tmp_path / "lock"), "--target", str(tmp_path / "installed")]

        def installed() -> "subprocess.CompletedProcess[str]":
            return subprocess.run(install, capture_output=True, text=True, timeout=120, check=False)

        assert installed().returncode == 0
        assert (tmp_path / "installed" / "a_package.py").exists()
        with zipfile.ZipFile(tmp_path / wheel.name, "a") as changed_wheel:
            changed_wheel.writestr("added.py", "")
        changed = installed()
        assert changed.returncode == 1
        assert "THESE PACKAGES DO NOT MATCH THE HASHES" in changed.stderr


class TestTheDate:
    @pytest.fixture
    def clone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A repository with one commit."""
        monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
        folder = tmp_path / "clone"
        folder.mkdir()
        (folder / "app.py").write_text("")
        author = ["-c", "user.name=Jane", "-c", "user.email=jane@example.com"]
        for command in (["init", "--quiet"], ["add", "."], [*author, "commit", "--quiet", "--message", "One"]):
            environment = {"GIT_COMMITTER_DATE": f"{DATE} +0000", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
            subprocess.run(["git", *command], cwd=folder, env=environment, check=True, timeout=60)
        return folder

    def test_is_that_of_the_commit(self, clone: Path) -> None:
        assert dist.release_date(clone) == DATE

    def test_can_be_chosen(self, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")

        assert dist.release_date(clone) == 1

    @pytest.mark.parametrize("name", ["app.py", "osdi/new.py"])
    def test_is_none_of_a_folder_that_differs_from_its_commit(self, clone: Path, name: str) -> None:
        (clone / name).parent.mkdir(exist_ok=True)
        (clone / name).write_text("changed")

        with pytest.raises(dist.CannotRelease, match="Commit or remove these files first"):
            dist.release_date(clone)

    def test_has_to_be_chosen_without_a_repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)

        with pytest.raises(dist.CannotRelease, match="SOURCE_DATE_EPOCH"):
            dist.release_date(tmp_path)

    def test_only_committed_files_are_shipped(self, clone: Path) -> None:
        (clone / "wsgi.py").write_text("")

        assert set(dist.shipped(clone)) == {"app.py"}
