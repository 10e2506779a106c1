"""A function's SDK reaches the local AWS also with an operation's host prefix: `cp.maps.127.0.0.1` is that host.

The AWS SDK for JavaScript puts the prefix that a service's model names before the host of whatever endpoint it is given
(`cp.maps.`, `cp.places.` of Amazon Location, `sync-` of Step Functions), and knows no variable that ends it. Nobody
resolves such a name, so that the call fails.
AWS: these hosts are there ("Amazon Location Service endpoints and quotas", AWS General Reference).
"""

from __future__ import annotations

import subprocess
from typing import Any

from ministack.core import lambda_runtime

from ._expect import PatchError

_WORKER = "_NODEJS_WORKER_SCRIPT"
_LOOKUP = r"""
{
  const dns = require("dns");
  const lookup = dns.lookup;
  const prefixed = /^[a-z][a-z0-9.-]*[.-](127\.0\.0\.1)$/;
  dns.lookup = (host, ...rest) => lookup(String(host).replace(prefixed, "$1"), ...rest);
}
"""


def apply() -> None:
    """Have the worker of Node.js functions resolve such names before anything of the function is loaded."""
    script = getattr(lambda_runtime, _WORKER, None)
    if not isinstance(script, str):
        raise PatchError(f"ministack.core.lambda_runtime has no {_WORKER} any more")
    setattr(lambda_runtime, _WORKER, _LOOKUP + script)


def probe(_aws: Any) -> bool:
    """What a worker loads first resolves such a host; a function would start too slowly beside all other probes."""
    script = str(getattr(lambda_runtime, _WORKER))
    first = _LOOKUP if script.startswith(_LOOKUP) else ""
    asking = 'require("dns").lookup("cp.maps.127.0.0.1", (_error, address) => console.log(address));'
    done = subprocess.run(["node", "-e", first + asking], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() == "127.0.0.1"
