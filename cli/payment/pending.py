"""A payment that was sent and not yet answered for good, on disk: the next run goes on with it and pays nothing."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from cli.payment.offer import PayError


class Pending:
    """The signed headers for one request, in a file beside the result that only its owner can read."""

    def __init__(self, result: Path, url: str, body: bytes) -> None:
        digest = hashlib.sha256(url.encode() + b"\0" + body).hexdigest()
        self.path = result.with_name(f".{result.name}.{digest[:16]}.payment")

    def load(self) -> dict[str, str] | None:
        """The headers; None where no payment is under way. Raises PayError for a file that was damaged."""
        try:
            return {str(name): str(value) for name, value in json.loads(self.path.read_text(encoding="ascii")).items()}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, AttributeError):
            raise PayError(f"{self.path} cannot be read; it holds a payment that may have been made") from None

    def save(self, headers: Mapping[str, str]) -> None:
        """Write the headers, before they are sent. Raises PayError, and then nothing may be sent."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                json.dump(dict(headers), file)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise PayError(f"{self.path} cannot be written, so nothing was paid: {error.strerror}") from error

    def remove(self) -> None:
        """Forget the payment: it was answered for good."""
        self.path.unlink(missing_ok=True)
