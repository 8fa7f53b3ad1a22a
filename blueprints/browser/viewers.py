"""The files of Swagger UI and ReDoc: where packages of PyPI carry them, and the digests of their npm releases.

Staff paste tokens into the pages that load these files. So a file is served only if it is byte for byte the one that
its makers released on npm. The package of PyPI is not trusted.
"""

import hashlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Viewer:
    """A file in a package of PyPI, and the SHA-256 of the file in its npm release."""

    package: str
    path: str
    release: str
    sha256: str


# To read a digest: `npm pack swagger-ui-dist@5.34.0`, then sha256sum of the file inside.
VIEWERS: Final = {
    "swagger_bundle.js": Viewer(
        "flask_swagger_ui",
        "dist/swagger-ui-bundle.js",
        "swagger-ui-dist@5.34.0",
        "3f6abf70480db7e07914df4c98a77385f22ea585eaf457a3e6415ba0eae2d167",
    ),
    "swagger_style.css": Viewer(
        "flask_swagger_ui",
        "dist/swagger-ui.css",
        "swagger-ui-dist@5.34.0",
        "c3cfe8248c4b0b89673600fb829924eafbac6de4bc4b2b06f5f5243483074d0a",
    ),
    "redoc.js": Viewer(
        "offapi",
        "redoc.js",
        "redoc@3.0.0 bundles/redoc.standalone.js",
        "ffcb91a368fe66c51c55df1c4a951b9022aca4d0a53b05e73b686d8e354c3cb6",
    ),
}


def check_packages() -> None:
    """Raises RuntimeError if a package with a viewer is missing. It reads no file."""
    for viewer in VIEWERS.values():
        _folder(viewer.package)


def read_viewer(name: str) -> bytes:
    """Returns a file of VIEWERS. Raises RuntimeError if it is not that of its npm release."""
    viewer = VIEWERS[name]
    content = (_folder(viewer.package) / viewer.path).read_bytes()
    if hashlib.sha256(content).hexdigest() != viewer.sha256:
        raise RuntimeError(f"{viewer.path} of {viewer.package} differs from {viewer.release}. It is not served.")
    return content


@cache
def _folder(package: str) -> Path:
    # Importing a package would run its code, and read all of its files into memory.
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise RuntimeError(f"The package {package}, which carries files of the explorers, is not installed.")
    return Path(found.origin).parent
