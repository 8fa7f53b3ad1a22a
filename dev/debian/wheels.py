"""Makes wheels of installed packages, so that an installation can be tested without a package index."""

import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

TAG: Final = "Tag: "


def wheels_of_installed(requirements: Path, folder: Path, *, without: tuple[str, ...] = ()) -> None:
    """Writes a wheel of each required package into the folder, `without` the files in some folders.

    Raises PackageNotFoundError if a package is not installed.
    """
    for line in requirements.read_text().splitlines():
        if line and not line.startswith("#"):
            required = Requirement(line)
            if required.marker is None or required.marker.evaluate():
                _write_wheel(required, folder, without)


def _write_wheel(required: Requirement, folder: Path, without: tuple[str, ...]) -> None:
    """Packs the files of a package, without the scripts and bytecode that pip makes at the installation."""
    found = distribution(required.name)
    if not required.specifier.contains(found.version, prereleases=True):
        raise PackageNotFoundError(f"{required}, but {found.version} is installed")
    tags = [each.removeprefix(TAG) for each in (found.read_text("WHEEL") or "").splitlines() if each.startswith(TAG)]
    name = found.metadata["Name"].replace("-", "_").replace(".", "_")
    tag = "-".join(".".join(dict.fromkeys(parts)) for parts in zip(*(each.split("-") for each in tags), strict=True))
    with zipfile.ZipFile(folder / f"{name}-{found.version}-{tag}.whl", "w") as wheel:
        for file in found.files or ():
            if (
                ".." not in file.parts
                and "__pycache__" not in file.parts
                and not file.as_posix().startswith(without)
                and file.name not in ("INSTALLER", "REQUESTED")
            ):
                wheel.write(str(file.locate()), file.as_posix())
