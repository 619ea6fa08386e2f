"""Where the pictures of a request come from: a file, base64, or a URL, and never two of them."""

import asyncio
import base64
import binascii
import re

from adapter.errors import DownloadError, NotAPictureError, PayloadTooLargeError, RemovebgError
from adapter.fetching.fetcher import Fetcher
from adapter.removebg.bodies import ENCODED
from adapter.uploads.budget import Reservation
from adapter.uploads.form import Form

_DATA_URL = re.compile(rb"data:[a-z0-9.+/-]{0,100};base64,", re.IGNORECASE)
_WEB_URL = re.compile(r"https?://.", re.IGNORECASE)


class Sources:
    """The pictures of one request. Making it checks that there are neither too many nor too few."""

    def __init__(self, form: Form, max_bytes: int) -> None:
        """Moves the pictures out of `form`.

        Raises:
            RemovebgError: There is no picture, there are several, or several backgrounds, or what is said to be a URL
                is none.
            PayloadTooLargeError: A file has more than `max_bytes`.
        """
        self._max_bytes = max_bytes
        self._file, self._encoded = form.files.pop("image_file", b""), form.files.pop(ENCODED, b"").strip()
        self._url = _read_url(form, "image_url")
        sources = sum(map(bool, (self._file, self._encoded, self._url)))
        if not sources:
            raise RemovebgError(
                "No image given",
                "missing_source",
                "Please provide the source image in the image_url, image_file or image_file_b64 parameter.",
            )
        if sources > 1:
            message = "Multiple image sources given: Please provide either the image_url, image_file or "
            raise RemovebgError(message + "image_file_b64 parameter.", "multiple_sources")
        self._background, self._background_url = form.files.pop("bg_image_file", b""), _read_url(form, "bg_image_url")
        if sum(map(bool, (self._background, self._background_url, form.fields.get("bg_color", "").strip()))) > 1:
            message = "Multiple background sources given: Please provide either the bg_color, the bg_image_url or "
            raise RemovebgError(message + "the bg_image_file parameter.", "multiple_bg_sources")
        for size in (len(self._file), len(self._background), len(self._encoded) // 4 * 3 - 100):
            self._check_size(size)

    @property
    def has_background(self) -> bool:
        """Whether a picture is to be laid behind the subject."""
        return bool(self._background or self._background_url)

    async def take_picture(self, fetcher: Fetcher, reservation: Reservation) -> bytes:
        """The picture, fetched or decoded where it has to be.

        Raises:
            RemovebgError: It could not be fetched, or its base64 is none.
            PayloadTooLargeError: It is too large.
            OverloadedError: The uploads in flight fill their budget.
        """
        if self._url:
            return await _fetch(self._url, "image", fetcher, reservation)
        if self._encoded:
            reservation.grow(len(self._encoded) // 4 * 3)
            encoded, self._encoded = self._encoded, b""
            self._file = await asyncio.to_thread(_decode, encoded)
            self._check_size(len(self._file))
        picture, self._file = self._file, b""
        return picture

    async def take_background(self, fetcher: Fetcher, reservation: Reservation) -> bytes:
        """The picture for behind the subject; raises as `take_picture`."""
        if self._background_url:
            return await _fetch(self._background_url, "background image", fetcher, reservation)
        background, self._background = self._background, b""
        return background

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            message = f"File exceeds limit of {self._max_bytes // 1024 // 1024}MB"
            raise PayloadTooLargeError(message)


def _read_url(form: Form, name: str) -> str:
    url = form.fields.get(name, "").strip()
    if url and not _WEB_URL.match(url):
        message = f"Invalid {name}: Please provide a valid URL."
        raise RemovebgError(message, f"invalid_{name}")
    return url


async def _fetch(url: str, what: str, fetcher: Fetcher, reservation: Reservation) -> bytes:
    try:
        return await fetcher.fetch(url, reservation)
    except (DownloadError, NotAPictureError) as error:
        code = "failed_image_download" if what == "image" else "failed_bg_download"
        message = f"Failed to download {what} from given image_url"
        raise RemovebgError(message, code, error.message) from error


def _decode(encoded: bytes) -> bytes:
    if head := _DATA_URL.match(encoded):
        encoded = encoded[head.end() :]
    try:
        return base64.b64decode(encoded.translate(None, b"\r\n\t "), validate=True)
    except binascii.Error as error:
        message = "There was an error reading the image."
        raise RemovebgError(message, "failed_to_read_image", "image_file_b64 is not base64.") from error
