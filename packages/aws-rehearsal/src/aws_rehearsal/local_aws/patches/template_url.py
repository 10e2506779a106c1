"""`TemplateURL` and `StackPolicyURL` in both of S3's forms, and a clear refusal of what is no S3 URL.

MiniStack takes a URL's first path segment for the bucket, so that `https://BUCKET.s3.REGION.amazonaws.com/KEY` is
looked up in a bucket named after the key's first folder.
AWS: CloudFormation API Reference, CreateStack, `TemplateURL`: "a template located in an Amazon S3 bucket", "must
start with https://"; Amazon S3 User Guide, "Virtual hosting of general purpose buckets".
"""

from __future__ import annotations

from typing import Any

from handlers.locations import template_place
from ministack.services.cloudformation import helpers

from ._expect import expect, replace


def apply() -> None:
    """Give MiniStack the path-style form, whatever form the caller used."""
    original = expect(helpers, "_resolve_document", "params", "body_key", "url_key", "label")

    def resolve_document(params: Any, body_key: str, url_key: str, label: str) -> Any:
        url = helpers._p(params, url_key)
        if not url or helpers._p(params, body_key):
            return original(params, body_key, url_key, label)
        place = template_place(url)
        if place is None:
            return None, helpers._error("ValidationError", f"{url_key} must be a supported URL.")
        path_style = "https://s3.amazonaws.com/{}/{}".format(*place)
        body, refused = original({**params, url_key: [path_style]}, body_key, url_key, label)
        if refused is not None and f"{label} not found at".encode() in refused[2]:
            return None, helpers._error("ValidationError", f"S3 error: The specified key does not exist. ({url})")
        return body, refused

    replace("_resolve_document", resolve_document, helpers)


def probe(aws: Any) -> bool:
    """A template is found at its virtual-hosted URL."""
    url = aws.template({"Topic": {"Type": "AWS::SNS::Topic"}}, virtual_hosted=True)
    return aws.succeeds(
        lambda: aws.query("cloudformation", Action="CreateStack", StackName="probe-url", TemplateURL=url)
    )
