"""Checks the prose of docstrings, comments, pages and test names (`python -m dev.lint_prose`); part of `make lint`.

The rules are those of CONTRIBUTING.md that a script can decide. Text in code blocks, in backticks and in quotation
marks is not checked. A finding names file, line, rule and words.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = (".md", ".html", ".yaml", ".yml", ".toml", ".sh", ".example", ".service", ".conf")

FORBIDDEN: Final = re.compile(
    r"\b(whoever|whomever|whom|whosoever|thereby|(?:is|are|was|were|be|been) told|what is told|so many(?! that)|"
    r"open door|ceilings?|told of|tells? of)\b",
    re.IGNORECASE,
)
# A connection is refused; a request is rejected, and a person opts out.
REFUSED: Final = re.compile(r"\b(?<!\| )refus(?:e|es|ed|al|als|ing)\b(?! \|)(?!, cut)", re.IGNORECASE)
# A sentence that is not a question: it opens the text or follows a full stop, and ends with a full stop or a colon.
RELATIVE: Final = re.compile(r"(?:^|[.:!?]\s+)((?:What|How|Whether|Who)\b[^.?!]*[.:](?!\w))")
QUOTED: Final = re.compile(r"`[^`]*`|\"[^\"\n]*\"|\[[^\]]*\]\([^)]*\)|https?://\S+")
TEST_NAME: Final = re.compile(r"_(whoever|whom|told|meant|had|refus(?:e|es|ed|al|als|ing)|taken|mended)(?:_|$)")
# Limits are named MAX_ or MIN_ and a noun, with the unit where it is not obvious: MAX_BODY_BYTES.
LIMIT_NAME: Final = re.compile(r"_?(MOST|LONGEST|LARGEST|GREATEST|MAXIMUM|LEAST|SHORTEST|SMALLEST|FEWEST|MINIMUM)(_|$)")

Finding = tuple[int, str, str]


def text_findings(text: str, line: int) -> Iterator[Finding]:
    """Yields what is wrong with one paragraph that begins at `line`."""
    plain = QUOTED.sub(lambda match: "x" * len(match.group()), text)
    for match in FORBIDDEN.finditer(plain):
        yield line + plain.count("\n", 0, match.start()), "word to avoid", match.group(1)
    for match in REFUSED.finditer(plain) if "connect" not in plain else ():
        yield (
            line + plain.count("\n", 0, match.start()),
            "rejected or opted out, unless it is a connection",
            match.group(),
        )
    for match in RELATIVE.finditer(" ".join(plain.split())):
        yield line, "sentence opens with a relative clause", match.group(1)[:60]


def python_findings(source: str) -> Iterator[Finding]:
    """Yields what is wrong with the docstrings, comments, test names and names of limits of a Python file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and LIMIT_NAME.match(node.id):
            yield node.lineno, "name of a limit without MAX_ or MIN_", node.id
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield from _docstring_findings(docstring, node.body[0].lineno)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and TEST_NAME.search(node.name):
            yield node.lineno, "word to avoid in a test's name", node.name
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield from text_findings(token.string.lstrip("# "), token.start[0])


def _docstring_findings(docstring: str, line: int) -> Iterator[Finding]:
    yield from text_findings(docstring, line)
    if re.match(r"(What|How|Whether|Who|Whom|Where|When)\b(?![^\n]*\?)", docstring):
        yield line, "docstring opens with a relative clause", docstring.splitlines()[0][:60]


def page_findings(text: str) -> Iterator[Finding]:
    """Yields what is wrong with a page; fenced code blocks are left out."""
    lines = text.splitlines()
    fenced = False
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            for _, rule, words in text_findings(line.lstrip("#*-|> 0123456789.").strip(), number):
                yield number, rule, words


def findings(path: Path) -> list[Finding]:
    """Returns what is wrong with one file, by line."""
    text = path.read_text(encoding="utf-8")
    return sorted(set(python_findings(text) if path.suffix == ".py" else page_findings(text)))


def checked_files() -> list[Path]:
    """Returns the files that the rules hold for: all prose of the repository but the change log's past."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    own = {Path(__file__).resolve()}
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in paths if path.suffix in (".py", *PAGES) and path.exists() and path.resolve() not in own]


def main(arguments: list[str]) -> int:
    """Prints every finding; returns 1 if there is one. Arguments are files or folders to check instead of all."""
    chosen = [Path(each).resolve() for each in arguments]
    count = 0
    for path in checked_files():
        if chosen and not any(path == each or path.is_relative_to(each) for each in chosen):
            continue
        for line, rule, words in findings(path):
            print(f"{path.relative_to(ROOT)}:{line}: {rule}: {words}")
            count += 1
    if count:
        print(f"{count} findings; CONTRIBUTING.md has the rules.")
    return bool(count)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
