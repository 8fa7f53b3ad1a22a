"""Programs and files of a server that cannot be had without a network: MongoDB's packages, the shell of MongoDB, sudo.

They do what the documented commands need: sudo runs a command, apt-get and the download of a key write a line to
/var/log/stand-ins, mongosh evaluates two expressions, and nano sets what the page asks for.
"""

from typing import Final

SHELL, PYTHON = "#!/bin/sh\n", "#!/usr/bin/env python3\n"

SUDO: Final = f'{SHELL}exec "$@"\n'
RECORD: Final = f'{SHELL}echo "$(basename "$0") $*" >> /var/log/stand-ins\n'
# The key of MongoDB's packages comes from the internet, everything else from this machine.
CURL: Final = f"""{SHELL}case "$*" in
*pgp.mongodb.com*) echo "curl $*" >> /var/log/stand-ins ;;
*) exec /usr/bin/curl --silent --show-error "$@" ;;
esac
"""
NANO: Final = f"""{SHELL}sed -i \\
    -e 's|^PUBLIC_URL=.*|PUBLIC_URL=https://osdi.river.test|' \\
    -e "s|^VENDOR_NAME=.*|VENDOR_NAME='Save the River'|" "$1"
"""
MONGOSH: Final = f"""{PYTHON}import json, re, sys, time
sys.path.append("{{site_packages}}")
from pymongo import MongoClient
from pymongo.errors import ConnectionFailure

client = MongoClient("127.0.0.1", 27017, directConnection=True, serverSelectionTimeoutMS=30_000)
expression = sys.argv[sys.argv.index("--eval") + 1]
if configuration := re.fullmatch(r"rs\\.initiate\\((.*)\\)", expression):
    client.admin.command("replSetInitiate", json.loads(re.sub(r"(\\w+):(?= )", r'"\\1":', configuration[1])))
    print("{{ ok: 1 }}")
elif expression == "db.hello().isWritablePrimary":
    for _ in range(100):
        if client.admin.command("hello")["isWritablePrimary"]:
            break
        time.sleep(0.1)
    print(str(client.admin.command("hello")["isWritablePrimary"]).lower())
else:
    sys.exit(f"not known: {{expression}}")
"""
# As in MongoDB's package.
MONGOD_CONF: Final = """storage:
  dbPath: /var/lib/mongodb
net:
  port: 27017
  bindIp: 127.0.0.1
systemLog:
  destination: file
  path: /var/lib/mongodb/mongod.log
"""
MONGOD_SERVICE: Final = """[Unit]
Description=MongoDB Database Server
After=network-online.target

[Service]
StateDirectory=mongodb
ExecStart=/usr/bin/mongod --config /etc/mongod.conf --wiredTigerCacheSizeGB 0.25
TimeoutStopSec=60

[Install]
WantedBy=multi-user.target
"""
# Each file with its mode and its text.
STAND_INS: Final = {
    "usr/local/bin/sudo": (0o755, SUDO),
    "usr/local/bin/apt-get": (0o755, RECORD),
    "usr/local/bin/gpg": (0o755, RECORD),
    "usr/local/bin/curl": (0o755, CURL),
    "usr/local/bin/nano": (0o755, NANO),
    "usr/local/bin/mongosh": (0o755, MONGOSH),
    "etc/mongod.conf": (0o644, MONGOD_CONF),
    "etc/systemd/system/mongod.service": (0o644, MONGOD_SERVICE),
}
