"""A function's SDK reaches the local AWS also with an operation's host prefix: `cp.maps.127.0.0.1` is that host.

The AWS SDK for JavaScript puts the prefix that a service's model names before the host of whatever endpoint it is given
(`cp.maps.`, `cp.places.` of Amazon Location, `sync-` of Step Functions), and knows no variable that ends it. Nobody
resolves such a name, so that the call fails.
AWS: these hosts are there ("Amazon Location Service endpoints and quotas", AWS General Reference).

The same goes for the endpoints of APIs (`api_hosts`, `graphql_hosts`), which a function finds in its environment: names
below `.localhost` are this machine's (RFC 6761, section 6.3), but not every resolver knows that.
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
  const here = /^[a-z0-9][a-z0-9.-]*(?:[.-]127\.0\.0\.1|\.localhost)$/;
  dns.lookup = (host, ...rest) => lookup(here.test(String(host)) ? "127.0.0.1" : host, ...rest);
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
    hosts = '["cp.maps.127.0.0.1", "abc.appsync-api.eu-west-1.localhost"]'
    asking = f'for (const host of {hosts}) require("dns").lookup(host, (_error, address) => console.log(address));'
    done = subprocess.run(["node", "-e", first + asking], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.split() == ["127.0.0.1"] * 2
