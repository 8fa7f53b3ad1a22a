"""A folder of backups whose names have the date, so that the newest is known and old ones are deleted."""

import datetime as dt
import re
from pathlib import Path
from typing import Final

NAME: Final = re.compile(r"osdi-\d{8}T\d{6}Z\.backup\.gz")


def file_for(folder: Path, timestamp: dt.datetime) -> Path:
    """Returns the path of a backup that is made now (naive UTC): `osdi-20260318T110215Z.backup.gz`."""
    return folder / f"osdi-{timestamp:%Y%m%dT%H%M%SZ}.backup.gz"


def backups_in(folder: Path) -> list[Path]:
    """Returns the backups of a folder, the oldest first. Files with other names are none. Raises OSError."""
    return sorted(each for each in folder.iterdir() if NAME.fullmatch(each.name) and each.is_file())


def newest_in(folder: Path) -> Path | None:
    """Returns the newest backup of a folder, or None. Raises OSError."""
    return next(reversed(backups_in(folder)), None)


def delete_old(folder: Path, keep: int) -> list[Path]:
    """Deletes all backups of a folder but the newest `keep`, and returns those that it deleted. Raises OSError."""
    old = backups_in(folder)[:-keep]
    for each in old:
        each.unlink()
    return old
