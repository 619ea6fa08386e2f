"""Uploads to an account at Cloudinary, through its official SDK: the only place that knows it."""

import asyncio
import hashlib
import hmac
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import cloudinary.uploader
from cloudinary.exceptions import BadRequest, Error

from server.errors import ProcessingFailedError, StoreUnavailableError

logger = logging.getLogger(__name__)

_URL = re.compile(r"cloudinary://(?P<key>\w+):(?P<secret>[\w-]+)@(?P<name>[\w-]+)(\?(?P<query>.*))?")
_PART_BYTES = 20_000_000  # The SDK's own; at least 5 MB.
_PART_S = 60.0  # For one part, or one deletion.
# What Cloudinary calls the kinds of files. A raw file's name carries its ending.
_KINDS = {"video/mp4": "video", "video/webm": "video", "image/webp": "image"}
_RAW = "raw"


class CloudinaryAccount:
    """One account. The SDK is synchronous, and is run in threads."""

    def __init__(self, url: str) -> None:
        """`url`: cloudinary://KEY:SECRET@NAME, as Cloudinary shows it; `?upload_prefix=` names another host.

        Raises ValueError, which shows nothing of it.
        """
        parts = _URL.fullmatch(url)
        if parts is None:
            message = "the account at Cloudinary is not of the form cloudinary://KEY:SECRET@NAME"
            raise ValueError(message)
        self._secret = parts["secret"]
        self._account = dict(parse_qsl(parts["query"] or "")) | {
            "cloud_name": parts["name"],
            "api_key": parts["key"],
            "api_secret": self._secret,
            "timeout": _PART_S,
        }

    async def upload(self, job: str, file: Path, content_type: str) -> str:
        """Upload the result of `job` and return its link; again is the same asset, overwritten.

        Raises StoreUnavailableError, and ProcessingFailedError where Cloudinary does not take this file.
        """
        kind = _KINDS.get(content_type, _RAW)
        name = self._name(job, kind)
        answer = await self._call(
            cloudinary.uploader.upload_large,
            str(file),
            filename=file.name,
            public_id=name,
            resource_type=kind,
            overwrite=True,
            invalidate=True,
            chunk_size=_PART_BYTES,
        )
        link = answer.get("secure_url")
        if not isinstance(link, str):
            raise StoreUnavailableError("The store of uploads answers without a link.")
        return link

    async def remove(self, job: str, content_type: str | None) -> None:
        """Remove what was uploaded of `job`; nothing is no error. Without `content_type`, whatever it was.

        Raises StoreUnavailableError.
        """
        kinds = {_KINDS.get(content_type, _RAW)} if content_type else {*_KINDS.values(), _RAW}
        for kind in sorted(kinds):
            await self._call(cloudinary.uploader.destroy, self._name(job, kind), resource_type=kind, invalidate=True)

    def _name(self, job: str, kind: str) -> str:
        """The asset's name: the same at every try, so that none is left over; and nobody can guess it from the id."""
        token = hmac.new(self._secret.encode(), job.encode(), hashlib.sha256).hexdigest()[:32]
        return f"clearcanvas/{token}/processed_video" + (".zip" if kind == _RAW else "")

    async def _call(self, function: Callable[..., dict[str, Any]], *args: str, **options: object) -> dict[str, Any]:
        try:
            return await asyncio.to_thread(function, *args, **options, **self._account)
        except BadRequest as error:
            logger.error("Cloudinary does not take a file: %s", type(error).__name__)
            raise ProcessingFailedError("The result cannot be uploaded.") from None
        except (Error, OSError) as error:
            # Its text shows what was signed, the asset's name among it.
            logger.warning("Cloudinary does not answer: %s", type(error).__name__)
            raise StoreUnavailableError("The store of uploads does not answer.") from None
