"""`TemplateURL` and `StackPolicyURL` in both of S3's forms, and a clear refusal of what is no S3 URL.

MiniStack takes a URL's first path segment for the bucket, so that `https://BUCKET.s3.REGION.amazonaws.com/KEY` is
looked up in a bucket named after the key's first folder.
AWS: CloudFormation API Reference, CreateStack, `TemplateURL`: "a template located in an Amazon S3 bucket", "must
start with https://"; Amazon S3 User Guide, "Virtual hosting of general purpose buckets".
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlparse

from ministack.services.cloudformation import helpers

from ._expect import expect, replace

_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:[.-](?:dualstack\.)?[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?")


def apply() -> None:
    """Give MiniStack the path-style form, whatever form the caller used."""
    original = expect(helpers, "_resolve_document", "params", "body_key", "url_key", "label")

    def resolve_document(params: Any, body_key: str, url_key: str, label: str) -> Any:
        url = helpers._p(params, url_key)
        if not url or helpers._p(params, body_key):
            return original(params, body_key, url_key, label)
        place = _bucket_and_key(url)
        if place is None:
            return None, helpers._error("ValidationError", f"{url_key} must be a supported URL.")
        path_style = "https://s3.amazonaws.com/{}/{}".format(*place)
        body, refused = original({**params, url_key: [path_style]}, body_key, url_key, label)
        if refused is not None and f"{label} not found at".encode() in refused[2]:
            return None, helpers._error("ValidationError", f"S3 error: The specified key does not exist. ({url})")
        return body, refused

    replace("_resolve_document", resolve_document, helpers)


def _bucket_and_key(url: str) -> tuple[str, str] | None:
    parts = urlparse(url)
    host = _HOST.fullmatch(parts.netloc)
    if parts.scheme != "https" or host is None:
        return None
    path = unquote(parts.path).removeprefix("/")
    bucket, key = (host["bucket"], path) if host["bucket"] else path.partition("/")[::2]
    return (bucket, key) if bucket and key else None


def probe(aws: Any) -> bool:
    """A template is found at its virtual-hosted URL."""
    url = aws.template({"Topic": {"Type": "AWS::SNS::Topic"}}, virtual_hosted=True)
    return aws.succeeds(
        lambda: aws.query("cloudformation", Action="CreateStack", StackName="probe-url", TemplateURL=url)
    )
