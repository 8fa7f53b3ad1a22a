"""The second process of an import: reads a file, loads its rows and writes them to standard output, in chunks.

The process that imports them starts it, and writes to its standard input what to read. This process ends after the last
row, or as soon as nobody reads its output any longer: no process outlives an import that was killed.
"""

import gc
import os
import pickle
import signal
import sys

from osdi.importing.loading.chunks import chunks
from osdi.importing.loading.garbage import OBJECTS


def main() -> None:
    """Runs the process. An error ends it, and the importing process then reads the file itself and meets it, too."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # Ctrl-C and SIGTERM may reach all processes of a terminal or container. The importing process ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    gc.set_threshold(OBJECTS)
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)  # nothing else is written between the chunks
        try:
            for chunk in chunks(*pickle.load(sys.stdin.buffer)):  # noqa: S301 - of the process that has started this one
                pickle.dump(chunk, output, pickle.HIGHEST_PROTOCOL)
                output.flush()
            pickle.dump(None, output)
        except Exception:
            sys.exit(1)


if __name__ == "__main__":
    main()
