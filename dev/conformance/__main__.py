"""Command `python -m dev.conformance`: writes docs/conformance.md."""

import sys

from dev.conformance.page import PAGE, page
from dev.conformance.rows import ROOT

PAGE.write_text(page(), encoding="utf-8")
sys.stdout.write(f"wrote {PAGE.relative_to(ROOT)}\n")
