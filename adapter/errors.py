"""What can go wrong in the adapter itself, before or beside the image service.

`adapter.middleware.errors` maps each class to an HTTP status, and that is the only place that knows one.
"""

from collections.abc import Mapping


class AdapterError(Exception):
    """Root of the tree. `message` is one sentence that is safe to show to the caller."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class MalformedBodyError(AdapterError):
    """The body is not the form that its Content-Type promises."""


class PayloadTooLargeError(AdapterError):
    """The body, or a part of it, is over its limit."""


class UnsupportedMediaTypeError(AdapterError):
    """The body is of a type or in an encoding that is not read."""


class UploadTimeoutError(AdapterError):
    """The body did not arrive in time."""


class InvalidPictureError(AdapterError):
    """The body of a paid request is empty, or no picture of the type that its Content-Type promises."""


class DownloadError(AdapterError):
    """A picture could not be fetched from its URL: forbidden or failed, in one text for all, which tells nothing."""

    def __init__(self) -> None:
        super().__init__(
            "The picture could not be downloaded. Its URL must be public, http or https on the usual port, and answer "
            "with a picture of at most 25 MB within 10 seconds."
        )


class NotAPictureError(AdapterError):
    """What a URL gave is no picture."""

    def __init__(self) -> None:
        super().__init__("URL must point to an image file")


class NotAVideoError(AdapterError):
    """The file is no video, by what it says of itself and by its first bytes."""

    def __init__(self) -> None:
        super().__init__("File must be a video")


class VideoColorError(AdapterError):
    """The colour behind a video is not written as the public contract says."""

    def __init__(self) -> None:
        super().__init__("bg_color must be in format 'R,G,B' (e.g., '255,0,0')")


class JobNotFoundError(AdapterError):
    """There is no such job, or it is somebody else's."""

    def __init__(self) -> None:
        super().__init__("Task not found")


class ResultGoneError(AdapterError):
    """The job's result was fetched and removed, or its time is over."""

    def __init__(self) -> None:
        super().__init__("The result is kept no longer.")


class MalformedKeyError(AdapterError):
    """The caller's own name for the request is none."""


class RemovebgError(AdapterError):
    """A request to remove.bg's API is wrong in a way that only this API has a word for: `code`."""

    def __init__(self, message: str, code: str = "invalid_request", detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.detail = detail


class NoForegroundError(AdapterError):
    """There is no subject in the picture, and the surface promises one."""

    def __init__(self) -> None:
        super().__init__("There is no subject in the picture.")


class InvalidHostError(AdapterError):
    """The Host header is no host's name."""


class PaymentNotOfferedError(AdapterError):
    """There is no way to pay here."""


class AmbiguousKeyError(AdapterError):
    """The request brings several keys that are not the same."""


class KeyRequiredError(AdapterError):
    """The operation is not open, no way to pay for it is offered, and there is no key."""


class UnknownKeyError(AdapterError):
    """There is no such key, or it was revoked."""


class OperationForbiddenError(AdapterError):
    """The key is good, and not for this operation."""


class QuotaUsedUpError(AdapterError):
    """The key has had all the results of its month."""


class RateLimitedError(AdapterError):
    """More requests than the caller may send in a minute. `retry_after_s`: whole seconds to wait."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class KeysUnavailableError(AdapterError):
    """The store of the keys does not answer."""


class InvalidFieldsError(AdapterError):
    """Fields are missing or malformed; `fields` says what is wrong with each."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("Invalid request data")
        self.fields = dict(fields)


class OverloadedError(AdapterError):
    """Uploads in flight already fill their memory budget."""


class SpoolError(AdapterError):
    """The disk takes no more of an upload."""


class ShuttingDownError(AdapterError):
    """The adapter is stopping and takes no new work."""


class BrokenResultError(AdapterError):
    """The image service broke its contract: no header, or a result of another size than it said."""


class InvalidSettingsError(Exception):
    """Settings that are well formed and cannot work; found only when they were tried."""
