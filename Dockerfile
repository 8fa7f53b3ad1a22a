# The image runs web by default. compose.yaml runs it with other commands for the worker and for the release step.

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install -r requirements.txt

FROM python:3.11-slim-bookworm
ENV PATH=/opt/osdi/bin:/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=5000
# A volume for backups gets the owner of this folder.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin osdi \
    && install --directory --owner osdi --mode 700 /backup
COPY --from=build /opt/venv /opt/venv
WORKDIR /opt/osdi
COPY app.py wsgi.py gunicorn.conf.py ./
COPY bin bin
COPY blueprints blueprints
COPY osdi osdi
COPY schemas schemas
# COPY keeps file modes, and a clone with a strict umask has files that only their owner can read.
# The user of the image cannot keep compiled modules, and compiling them takes a third of a start.
RUN chmod -R a+rX . && python -m compileall -q .
USER 10001
EXPOSE 5000
# Checks only that the process answers: a restart does not help a process that waits for its database.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
CMD ["gunicorn", "wsgi:app"]
