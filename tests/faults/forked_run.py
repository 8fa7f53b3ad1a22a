"""`python -m faults` whose processes are forked: `python -m tests.faults.forked_run`."""

import sys

from faults import processes
from faults.__main__ import main
from tests.support import fork_server

if __name__ == "__main__":
    processes.start = fork_server.popen
    sys.exit(main())
