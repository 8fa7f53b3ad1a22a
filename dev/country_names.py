"""Writes osdi/values/country_names.json: `python -m dev.country_names`.

Run it after an upgrade of phonenumbers. The library has the names of all countries in many languages, in a module that
takes 100 MB when imported.
"""

from pathlib import Path

import orjson

FILE = Path(__file__).parent.parent / "osdi" / "values" / "country_names.json"


def country_names() -> dict[str, list[str]]:
    """Returns names in lower case by ISO 3166-1 Alpha-2 code, without names that two countries share."""
    from phonenumbers.geodata.locale import LOCALE_DATA

    owners: dict[str, set[str]] = {}
    for code, names in LOCALE_DATA.items():
        for name in names.values():
            if not name.startswith("*"):  # a star refers to another language
                owners.setdefault(name.casefold(), set()).add(code)
    found: dict[str, list[str]] = {}
    for name, codes in sorted(owners.items()):
        if len(codes) == 1:
            found.setdefault(next(iter(codes)), []).append(name)
    return dict(sorted(found.items()))


def main() -> None:
    FILE.write_bytes(orjson.dumps(country_names(), option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main()
