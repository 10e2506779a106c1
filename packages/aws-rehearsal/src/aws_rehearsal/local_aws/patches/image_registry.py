"""Amazon ECR's registry asks who pushes, and takes no image that is not whole.

MiniStack gives everybody the same password, for a host on the internet, and its registry (`/v2/`) asks nobody for it.
AWS: the password of GetAuthorizationToken stands for its caller, whose rights decide about every request ("Private
registry authentication" and "IAM permissions for pushing an image" in the ECR user guide: each request of the protocol
is one action of IAM); `proxyEndpoint` is the registry to use it at. A tag that is there is refused in a repository of
immutable tags, also with the very same image (aws/containers-roadmap 2179), and so is a manifest whose layers are not
there (PutImage, `LayersNotFoundException`, `ImageDigestDoesNotMatchException`). Layers that come by the API's own
operations (InitiateLayerUpload and what follows it), which MiniStack forgets, are there as those of the registry are.
BatchGetImage tells the tag that it was asked for. BatchDeleteImage takes the tag that it is given, and the image with
its last one; DescribeImages leaves out what its filter says.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import (
    error_response_json,
    get_account_id,
    get_region,
    set_request_account_id,
    set_request_region,
)
from ministack.core.router import extract_access_key_id
from ministack.services import ecr

from ._expect import expect, json_body, replace

_HOURS = 12
_ACTIONS = {
    ("HEAD", "blob"): "ecr:BatchCheckLayerAvailability",
    ("GET", "blob"): "ecr:GetDownloadUrlForLayer",
    ("POST", "blob_uploads"): "ecr:InitiateLayerUpload",
    ("PATCH", "blob_upload_session"): "ecr:UploadLayerPart",
    ("PUT", "blob_upload_session"): "ecr:CompleteLayerUpload",
    ("HEAD", "manifest"): "ecr:BatchGetImage",
    ("GET", "manifest"): "ecr:BatchGetImage",
    ("PUT", "manifest"): "ecr:PutImage",
    ("GET", "tags_list"): "ecr:ListImages",
}
"""What is asked for by method and path; the registry does nothing else."""
_parts: dict[str, bytearray] = {}
"""What has come of a layer, by its upload."""
_tokens: dict[str, tuple[str, str, str, float]] = {}
"""Passwords: of which access key, account and region, and until when."""


def apply() -> None:
    """Give passwords that know their caller, ask for them, and look whether an image is whole.

    Long: one wrapper after the other.
    """
    handle = expect(ecr, "handle_request", "method", "path", "headers", "body", "query_params")
    registry = expect(ecr, "handle_registry_request", "method", "path", "headers", "body", "query_params")
    put_image = expect(ecr, "_put_image", "data")
    get_images = expect(ecr, "_batch_get_image", "data")
    put_manifest = expect(ecr, "_v2_put_manifest", "name", "ref", "headers", "body")
    parse = expect(ecr, "_parse_v2_path", "path")

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action == "GetAuthorizationToken":
            return _authorization(extract_access_key_id(headers, query_params) or "", headers.get("host", ""))
        return await handle(method, path, headers, body, query_params)

    async def handle_registry_request(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        refused = _denied(method.upper(), parse(path), {k.lower(): v for k, v in headers.items()})
        return refused or await registry(method, path, headers, body, query_params)

    def checked_image(data: dict[str, Any]) -> Any:
        name, text = data.get("repositoryName", ""), str(data.get("imageManifest", ""))
        missing = _missing(name, text)
        if name in ecr._repositories and missing:
            return error_response_json("LayersNotFoundException", f"Layers with digests '{missing}' not found", 400)
        if data.get("imageDigest") not in (None, _digest(text.encode())):
            return error_response_json("ImageDigestDoesNotMatchException", "The provided digest does not match", 400)
        return put_image(data)

    def checked_manifest(name: str, ref: str, headers: Any, body: Any) -> Any:
        raw = body if isinstance(body, bytes) else str(body).encode()
        if name in ecr._repositories:
            if ref.startswith("sha256:") and ref != _digest(raw):
                return ecr._registry_error(400, "DIGEST_INVALID", "the manifest is not what its digest says")
            missing = _missing(name, raw.decode(errors="replace"))
            if missing:
                return ecr._registry_error(404, "BLOB_UNKNOWN", f"Layers with digests '{missing}' not found")
            if ecr._repositories[name].get("imageTagMutability") == "IMMUTABLE" and _tagged(name, ref):
                told = f"The image tag '{ref}' already exists in the '{name}' repository and cannot be overwritten"
                return ecr._registry_error(400, "TAG_INVALID", f"{told} because the repository is immutable.")
        return put_manifest(name, ref, headers, body)

    def images_as_asked(data: dict[str, Any]) -> Any:
        status, headers, body = get_images(data)
        answer = json.loads(body)
        for image in answer.get("images", ()):
            tags: list[str] = next(
                (i.get("imageTags", []) for i in ecr._images[data["repositoryName"]] if _same(i, image["imageId"])), []
            )
            asked = [i["imageTag"] for i in data.get("imageIds", ()) if i.get("imageTag") in tags]
            image["imageId"] = {
                "imageDigest": image["imageId"]["imageDigest"],
                **({"imageTag": asked[0]} if asked else {}),
            }
            if len(asked) > 1:
                answer["images"] += [
                    {**image, "imageId": {**image["imageId"], "imageTag": tag}}
                    for tag in asked[1:]
                    if not any(i["imageId"].get("imageTag") == tag for i in answer["images"])
                ]
        return status, headers, json.dumps(answer).encode()

    for name in (
        "_batch_check_layer_availability",
        "_upload_layer_part",
        "_complete_layer_upload",
        "_batch_delete_image",
        "_describe_images",
    ):
        expect(ecr, name, "data")
        replace(name, globals()[name](getattr(ecr, name)), ecr)
    replace("handle_request", handle_request, ecr)
    replace("handle_registry_request", handle_registry_request, ecr)
    replace("_put_image", checked_image, ecr)
    replace("_v2_put_manifest", checked_manifest, ecr)
    replace("_batch_get_image", images_as_asked, ecr)


def _batch_check_layer_availability(answer: Any) -> Any:
    def checked(data: dict[str, Any]) -> Any:
        status, headers, body = answer(data)
        told = json.loads(body)
        for layer in told.get("layers", ()):
            content = ecr._layer_blobs.get(data.get("repositoryName", ""), {}).get(layer["layerDigest"])
            if content is not None:
                layer |= {"layerAvailability": "AVAILABLE", "layerSize": len(content)}
        return status, headers, json.dumps(told).encode()

    return checked


def _upload_layer_part(answer: Any) -> Any:
    def kept(data: dict[str, Any]) -> Any:
        part = base64.b64decode(data.get("layerPartBlob", ""))
        _parts.setdefault(str(data.get("uploadId")), bytearray()).extend(part)
        return answer(data)

    return kept


def _complete_layer_upload(answer: Any) -> Any:
    def completed(data: dict[str, Any]) -> Any:
        content = bytes(_parts.pop(str(data.get("uploadId")), b""))
        if not content:
            return error_response_json("EmptyUploadException", "The upload has no parts", 400)
        if _digest(content) not in data.get("layerDigests", ()):
            return error_response_json("InvalidLayerException", "The layer digest does not match", 400)
        ecr._layer_blobs.setdefault(data.get("repositoryName", ""), {})[_digest(content)] = content
        return answer(data)

    return completed


def _batch_delete_image(answer: Any) -> Any:
    def deleted(data: dict[str, Any]) -> Any:
        there = ecr._images.get(data.get("repositoryName", ""), [])
        whole, untagged = [], []
        for identity in data.get("imageIds", ()):
            tag = identity.get("imageTag")
            image = next((i for i in there if tag in i.get("imageTags", []) and len(i["imageTags"]) > 1), None)
            if image is None or "imageDigest" in identity:
                whole.append(identity)
                continue
            image["imageTags"].remove(tag)
            image["imageId"]["imageTag"] = image["imageTags"][0]
            untagged.append({"imageDigest": image["imageDigest"], "imageTag": tag})
        status, headers, body = answer({**data, "imageIds": whole})
        told = json.loads(body)
        if status == 200:
            told["imageIds"] += untagged
        return status, headers, json.dumps(told).encode()

    return deleted


def _describe_images(answer: Any) -> Any:
    def described(data: dict[str, Any]) -> Any:
        status, headers, body = answer(data)
        told, wanted = json.loads(body), (data.get("filter") or {}).get("tagStatus", "ANY")
        if status == 200:
            tagged = {"TAGGED": (True,), "UNTAGGED": (False,)}.get(wanted, (True, False))
            told["imageDetails"] = [i for i in told["imageDetails"] if bool(i.get("imageTags")) in tagged]
        return status, headers, json.dumps(told).encode()

    return described


def _same(image: dict[str, Any], identity: dict[str, str]) -> bool:
    return bool(image["imageDigest"] == identity["imageDigest"])


def _authorization(access_key: str, host: str) -> Any:
    password, until = secrets.token_hex(24), time.time() + _HOURS * 3600
    _tokens[password] = (access_key, get_account_id(), get_region(), until)
    given = {
        "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
        "expiresAt": int(until),
        "proxyEndpoint": f"http://{host}",
    }
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps({"authorizationData": [given]}).encode()


def _denied(method: str, parsed: Any, headers: dict[str, str]) -> Any:
    """The answer to a request that the registry does not serve; None for one that is allowed."""
    kind, _, given = headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(given).decode().partition(":")
    except ValueError:
        user = password = ""
    token = _tokens.get(password)
    if kind != "Basic" or user != "AWS" or token is None or token[3] < time.time():
        status, answer, body = ecr._registry_error(401, "UNAUTHORIZED", "Not Authorized")
        return status, {**answer, "WWW-Authenticate": 'Basic realm="ecr",service="ecr.amazonaws.com"'}, body
    access_key, account, region, _ = token
    set_request_account_id(account)
    set_request_region(region)
    if parsed is None or parsed[0] == "ping":
        return None
    verb, name, _ = parsed
    action = _ACTIONS.get((method, verb))
    if action is None:
        return ecr._registry_error(405, "UNSUPPORTED", "The operation is unsupported.")
    arn = f"arn:aws:ecr:{region}:{account}:repository/{name}"
    refused = iam_evaluator.enforce(access_key, action, "ecr", region, resource_arn=arn)
    if refused is None:
        return None
    return ecr._registry_error(403, "DENIED", f"not authorized to perform: {action} on resource: {arn}")


def _missing(name: str, manifest: str) -> str:
    """The first blob of a manifest that is not there; empty if all are, or it names none."""
    found = json_body(manifest.encode())
    blobs = [found.get("config"), *(found.get("layers") or [])]
    known = ecr._layer_blobs.get(name, {})
    digests = [str(blob["digest"]) for blob in blobs if isinstance(blob, dict) and "digest" in blob]
    return next((digest for digest in digests if digest not in known), "")


def _tagged(name: str, tag: str) -> bool:
    return any(tag in image.get("imageTags", []) for image in ecr._images.get(name, []))


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def probe(aws: Any) -> bool:
    """A role pushes with its own password, and only where it may."""
    target, account = "AmazonEC2ContainerRegistry_V20150921", aws.owner.account
    for name in ("probe/mine", "probe/other"):
        aws.json(aws.owner, "ecr", f"{target}.CreateRepository", repositoryName=name)
    role = aws.role(aws.owner, "image-pusher")
    mine = f"arn:aws:ecr:us-east-1:{account}:repository/probe/mine"
    aws.put_policy(
        aws.owner,
        "image-pusher",
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Effect": "Allow", "Action": "ecr:*", "Resource": mine},
    )
    given = aws.json(aws.assume(role, aws.owner), "ecr", f"{target}.GetAuthorizationToken")["authorizationData"][0]
    login = {"Authorization": f"Basic {given['authorizationToken']}"}

    def begins(name: str, headers: dict[str, str]) -> bool:
        return bool(aws.succeeds(lambda: aws.posted(f"/v2/{name}/blobs/uploads/", headers)))

    return (
        given["proxyEndpoint"] == aws.endpoint
        and begins("probe/mine", login)
        and not begins("probe/other", login)
        and not begins("probe/mine", {})
    )
