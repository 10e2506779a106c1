"""A function's SDK reaches the local AWS also with an operation's host prefix: `cp.maps.127.0.0.1` is that host.

The AWS SDK for JavaScript puts the prefix that a service's model names before the host of whatever endpoint it is given
(`cp.maps.`, `cp.places.` of Amazon Location, `sync-` of Step Functions), and knows no variable that ends it. Nobody
resolves such a name, so that the call fails.
AWS: these hosts are there ("Amazon Location Service endpoints and quotas", AWS General Reference).
"""

from __future__ import annotations

from typing import Any

from ministack.core import lambda_runtime

from ._expect import MendError

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
        raise MendError(f"ministack.core.lambda_runtime has no {_WORKER} any more")
    setattr(lambda_runtime, _WORKER, _LOOKUP + script)


def probe(aws: Any) -> bool:
    """A function gets an answer from such a host."""
    code = """
    const http = require('http');
    exports.handler = async () => new Promise((done) => {
      const url = new URL(process.env.AWS_ENDPOINT_URL);
      const asked = http.get({ host: `cp.maps.${url.hostname}`, port: url.port, path: '/_ministack/health' });
      asked.on('response', (answer) => done(`answered ${answer.statusCode}`)).on('error', () => done('nobody'));
    });
    """
    name = aws.name("host-prefixes")
    role = aws.role(aws.owner, name, trusted="lambda.amazonaws.com")
    function = {"FunctionName": name, "Code": {"ZipFile": code}, "Handler": "index.handler", "Role": role}
    aws.stack(
        {"Function": {"Type": "AWS::Lambda::Function", "Properties": {**function, "Runtime": "nodejs20.x"}}}, name
    )
    return "answered 200" in aws.rest(aws.owner, "lambda", "POST", f"/2015-03-31/functions/{name}/invocations", {})
