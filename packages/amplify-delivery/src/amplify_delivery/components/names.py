"""Names that are the same wherever they are computed: no stack has to read another stack's state.

All hold the app's name, so that two apps in one account do not meet.
"""

import hashlib

from amplify_delivery.export.names import MAX_BUCKET_NAME

_PARTITIONS = {
    "cn-": ("aws-cn", "amazonaws.com.cn"),
    "eusc-": ("aws-eusc", "amazonaws.eu"),
    "eu-isoe-": ("aws-iso-e", "cloud.adc-e.uk"),
    "us-gov-": ("aws-us-gov", "amazonaws.com"),
    "us-iso-": ("aws-iso", "c2s.ic.gov"),
    "us-isob-": ("aws-iso-b", "sc2s.sgov.gov"),
    "us-isof-": ("aws-iso-f", "csp.hci.ic.gov"),
}
"""Partitions and ends of their endpoints by what their regions begin with, as in botocore's `partitions.json`; every
other region is of `aws`."""


def partition(region: str) -> str:
    """The AWS partition of `region`, such as `aws` or `aws-us-gov`."""
    return _partition(region)[0]


def dns_suffix(region: str) -> str:
    """What the names of AWS's endpoints in `region` end with."""
    return _partition(region)[1]


def _partition(region: str) -> tuple[str, str]:
    return next((found for start, found in _PARTITIONS.items() if region.startswith(start)), ("aws", "amazonaws.com"))


def regional_bucket(base: str, account: str, region: str) -> str:
    """A bucket in S3's account-regional namespace: `BASE-ACCOUNT-REGION-an`, which nobody else can take.

    "Namespaces for general purpose buckets" in the S3 user guide. S3 allows no capitals: a name that has some is
    written in lower case and gets the hash as well.
    """
    tail = f"-{account}-{region}-an"
    room = MAX_BUCKET_NAME - len(tail)
    if base != base.lower() or len(base) > room:
        digest = hashlib.sha256(base.encode()).hexdigest()[:8]
        base = f"{base.lower()[: room - 9].rstrip('-')}-{digest}"
    return base + tail


def staging_bucket_name(project: str, environment: str, account: str, region: str) -> str:
    """The staging bucket of one environment, in S3's account-regional namespace: `NAME-ACCOUNT-REGION-an`.

    `regional_bucket` says how.
    """
    return regional_bucket(f"{project}-{environment}-staging", account, region)


def object_url(bucket: str, key: str, region: str) -> str:
    """The address of an object as CloudFormation wants it in `TemplateURL`: path style, of its own region."""
    return f"https://s3.{region}.{dns_suffix(region)}/{bucket}/{key}"
