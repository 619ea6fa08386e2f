"""What is sold where: the rails that a host offers, and the charge for an operation on it."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from aiohttp import hdrs, web
from clearcanvas.v1.images_pb2 import EditRequest, ImageFormat
from clearcanvas.v1.jobs_pb2 import VideoOrder

from adapter.errors import InvalidHostError
from adapter.limits.clients import Clients
from adapter.payments.charge import Charge, digest_request
from adapter.sale.settings import RailName

_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
_NO_OPTIONS = {"image", "max_pixels"}  # Of an edit: what is edited, and how large it may be.
_MEDIA_TYPES = {"IMAGE_FORMAT_PNG": "image/png", "IMAGE_FORMAT_WEBP": "image/webp", "IMAGE_FORMAT_JPEG": "image/jpeg"}


@dataclass(frozen=True)
class Priced:
    """An operation with a price."""

    name: str
    """Row of the price table."""
    path: str
    amount: int
    """Millionths of a dollar."""
    description: str
    """One sentence for the payer's wallet."""
    in_form: bool = False
    """Whether the picture comes in a form; else it is the request's body."""
    work_s: float = 0.0
    """As in `Charge`."""


@dataclass(frozen=True)
class Offers:
    """The rails by host, and where payers see them."""

    rails: Sequence[RailName]
    """All that are configured."""
    hosts: Mapping[str, Sequence[RailName]] = field(default_factory=dict)
    """Those of a host by its name in lower case; a host that is not named offers all."""
    public_url: str | None = None
    clients: Clients = field(default_factory=Clients)

    def rails_of(self, request: web.BaseRequest) -> Sequence[RailName]:
        """The rails that the request's host offers, perhaps none."""
        if not self.rails:
            return ()
        return self.hosts.get(_match_host(request)["name"].lower(), self.rails)

    def base_url(self, request: web.BaseRequest) -> str:
        """Scheme and host as the payer sees them, without a slash at the end."""
        if self.public_url is not None:
            return self.public_url
        # Not `request.scheme`: an absolute address in the request line would choose it. We speak plain HTTP ourselves.
        scheme = "http"
        if self.clients.trusts(request.remote):
            told = request.headers.get("X-Forwarded-Proto", "").strip().lower()
            scheme = told if told in {"http", "https"} else scheme
        return f"{scheme}://{_match_host(request)[0].lower()}"

    def url_for(self, request: web.BaseRequest, rail: RailName) -> str:
        """`base_url` of a host that offers a rail: the request's own where it does or none is named, else the first."""
        base_url = self.base_url(request)
        named = next((host for host, rails in self.hosts.items() if rail in rails), None)
        if rail in self.rails_of(request) or named is None:
            return base_url
        return f"{base_url.partition('://')[0]}://{named}"

    def price(self, request: web.BaseRequest, priced: Priced) -> Charge:
        """The charge for an operation before anything is known of the picture."""
        return Charge(
            priced.name,
            self.base_url(request) + priced.path,
            priced.amount,
            priced.description,
            work_s=priced.work_s,
        )

    def charge(self, request: web.BaseRequest, priced: Priced, edit: EditRequest, **more: str) -> Charge:
        """The charge for one edit; it is bound to all that decides the result. Reads the pictures from end to end.

        `more`: what else was asked for, by name; the empty counts as not asked for.
        """
        picture = edit.image
        options = {"edit": _digest_options(edit)} | {name: value for name, value in more.items() if value}
        return replace(
            self.price(request, priced),
            content_type=_MEDIA_TYPES[ImageFormat.Name(edit.output.format)],
            body=b"" if priced.in_form else picture,  # A form's bytes differ each time that it is written.
            digest=digest_request(priced.name, options, picture),
        )

    def charge_video(
        self, request: web.BaseRequest, priced: Priced, order: VideoOrder, video: bytes, background_url: str
    ) -> Charge:
        """The charge for one video, whose SHA-256 is `video`; bound as `charge` is."""
        asked = VideoOrder()
        asked.CopyFrom(order)
        webhook_url = asked.options.webhook_url
        asked.ClearField("options")  # The id and the owner follow from the payment.
        digest = hashlib.sha256(asked.SerializeToString(deterministic=True)).hexdigest()
        options = {"order": digest, "background_url": background_url, "webhook_url": webhook_url}
        return replace(
            self.price(request, priced), content_type="video/mp4", digest=digest_request(priced.name, options, video)
        )


def _digest_options(edit: EditRequest) -> str:
    """All of an edit but the picture itself; in hex, because another picture may stand behind the subject."""
    options = EditRequest(**{field.name: value for field, value in edit.ListFields() if field.name not in _NO_OPTIONS})
    return hashlib.sha256(options.SerializeToString(deterministic=True)).hexdigest()


def _match_host(request: web.BaseRequest) -> re.Match[str]:
    """The Host header, which the caller is free to invent: it goes into URLs and headers."""
    match = _HOST.fullmatch(request.headers.get(hdrs.HOST, ""))
    if match is None:
        message = "The Host header is missing or malformed."
        raise InvalidHostError(message)
    return match
