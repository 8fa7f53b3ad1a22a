"""gunicorn on the socket that is its file descriptor 3, as systemd starts it: `python -m tests.deployment.activated`.

The process that systemd starts gets its own id in LISTEN_PID.
"""

import os
import runpy
import sys

if __name__ == "__main__":
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
    sys.argv = ["gunicorn", *sys.argv[1:]]
    runpy.run_module("gunicorn", run_name="__main__", alter_sys=True)
