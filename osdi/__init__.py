"""The domain: one folder per capability, each with its rules and its queries. docs/architecture.md lists them.

Modules beside the folders are what every capability uses: resources, errors, ids, documents, match keys, HAL,
settings. Imports run in one direction, by the layers in dev/architecture.py; a test checks them.
"""

import sys
from importlib.util import find_spec

# pymongo looks for PyOpenSSL by importing cryptography, which we ship for joserfc, and then service_identity, which we
# do not. Without this line each start of a process would take 2 % longer, for nothing.
if find_spec("service_identity") is None:
    sys.modules.setdefault("pymongo.pyopenssl_context", None)  # type: ignore[arg-type]
