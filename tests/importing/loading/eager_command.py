"""`python -m tests.importing.loading.eager_command`: `bin/osdi`, whose imports start a second process for a short file.

It takes few rows ahead of the import, which keeps its progress often.
"""

from app import main
from osdi.importing import file_import
from osdi.importing.loading import loaded_rows, loader_process

loaded_rows.MIN_BYTES = 0  # type: ignore[misc]  # the constants are final
loaded_rows.FIRST_ROWS = 10  # type: ignore[misc]
loaded_rows.processors = lambda: 2
loader_process.AHEAD = 1  # type: ignore[misc]
file_import.KEEP_SECONDS = 0.05  # type: ignore[misc]

if __name__ == "__main__":
    main()
