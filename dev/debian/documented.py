"""Reads the commands of a documentation page: `section(page, "### 2. The program")`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Final

from dev.debian.machine import Machine

DOCS: Final = Path(__file__).parents[2] / "docs"
PROMPT: Final = "$ "


@dataclass(frozen=True)
class Command:
    """A command as a shell reads it, and the lines of its output that the page shows."""

    text: str
    output: tuple[str, ...]

    def with_values(self, values: Mapping[str, str]) -> "Command":
        """Returns the command with other values than those of the page."""
        texts = [self.text, *self.output]
        for shown, value in values.items():
            texts = [each.replace(shown, value) for each in texts]
        return Command(texts[0], tuple(texts[1:]))

    def shows(self, printed: str) -> bool:
        """True if this is what the page shows: `...` stands for any text, and a line of it for any lines.

        A page may leave out what a command prints.
        """
        pattern = "\n".join(re.sub(r"([\[\]*?])", r"[\1]", line).replace("...", "*") for line in self.output)
        return not self.output or fnmatchcase(printed.strip(), pattern)


def section(page: str, heading: str) -> list[Command]:
    """Returns the commands below a heading of docs/, up to the next heading. Raises ValueError if there are none."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#|\Z)", _without_hashes_in_blocks(text), flags=re.M | re.S)
    commands = list(_commands(found[1].replace("\0", "#"))) if found else []
    if not commands:
        raise ValueError(f"docs/{page} has no commands below `{heading}`")
    return commands


def _without_hashes_in_blocks(text: str) -> str:
    """Replaces `#` in blocks of code, where it begins a comment and not a heading."""
    return re.sub(r"^```.*?^```", lambda block: block[0].replace("#", "\0"), text, flags=re.M | re.S)


def _commands(text: str) -> Iterator[Command]:
    for block in re.findall(r"^```console\n(.*?)^```", text, flags=re.M | re.S):
        lines = iter(block.splitlines())
        command: list[str] = []
        output: list[str] = []
        for line in lines:
            if line.startswith(PROMPT):
                if command:
                    yield Command("\n".join(command), tuple(output))
                command, output = [line.removeprefix(PROMPT)], []
                while command[-1].endswith("\\"):
                    command.append(next(lines))
            else:
                output.append(line)
        if command:
            yield Command("\n".join(command), tuple(output))


class NotAsDocumented(Exception):
    """A command printed something else than the page shows."""


def follow(machine: Machine, page: str, heading: str, values: Mapping[str, str] = MappingProxyType({})) -> str:
    """Types the commands below a heading into the machine's shell, and returns all that they print.

    `values` replace texts of the page, as it asks its reader to do.

    Raises NotAsDocumented, or RuntimeError if a command fails.
    """
    everything = []
    for documented in section(page, heading):
        command = documented.with_values(values)
        printed = machine.run(command.text).output
        if not command.shows(printed):
            shown = "\n".join(command.output)
            raise NotAsDocumented(f"{command.text}\nprinted:\n{printed}\ndocs/{page} shows:\n{shown}")
        everything.append(printed)
    return "\n".join(everything)
