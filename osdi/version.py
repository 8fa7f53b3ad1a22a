"""The version of this server, by Semantic Versioning (semver.org). CHANGELOG.md has a section for it."""

from typing import Final

VERSION: Final = "1.0.0"
