"""`python -m tests.importing.jobs.eager_worker`: the flask command, whose worker keeps the progress of imports often.

A test that kills a worker in the middle of an import needs a short file then.
"""

from flask.cli import main

from osdi.importing.jobs import execution

execution.KEEP_SECONDS = 0.05  # type: ignore[misc]  # the constant is final

if __name__ == "__main__":
    main()
