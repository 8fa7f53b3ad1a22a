"""Writes osdi/importing/country_names.json: `python -m dev.country_names`, after phonenumbers has been upgraded.

The library knows what each country is called in each language, in a module that takes 100 MB when it is imported.
"""

from pathlib import Path

import orjson

FILE = Path(__file__).parent.parent / "osdi" / "importing" / "csv_files" / "country_names.json"


def country_names() -> dict[str, list[str]]:
    """Names in small letters by ISO 3166-1 Alpha-2 code; one that two countries have in two languages is neither's."""
    from phonenumbers.geodata.locale import LOCALE_DATA

    owners: dict[str, set[str]] = {}
    for code, names in LOCALE_DATA.items():
        for name in names.values():
            if not name.startswith("*"):  # which refers to another language
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
