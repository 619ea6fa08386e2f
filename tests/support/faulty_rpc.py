"""A proxy before a chain that loses, delays and refuses calls as a test tells it. Each has an address of its own."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Fault:
    """What befalls a method: `before` the chain sees the call, or `after` it did; `times` counts down to harmless."""

    before: str | None = None
    """Answer with this error and do not pass the call on."""
    after: str | None = None
    """Pass the call on and answer with this error: what was asked for has happened."""
    delay_s: float = 0
    """Seconds to wait with the answer."""
    drop_before: bool = False
    """Hang up, and do not pass the call on."""
    drop_after: bool = False
    """Pass the call on and hang up: the reply is lost."""
    times: int | None = None


class FaultyRpc:
    """A proxy in threads of its own, for any client and any event loop; `rpc_url` is where it listens."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._faults: dict[str, Fault] = {}
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = proxy._answer(body)
                if answer is None:
                    self.close_connection = True
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name.
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.rpc_url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def set(self, method: str, **fault: Any) -> None:
        """Sets what befalls `method` (`*`: every method), see `Fault`; it replaces what befell it."""
        with self._lock:
            self._faults[method] = Fault(**fault)

    def clear(self) -> None:
        """Makes the proxy harmless, and the counts zero."""
        with self._lock:
            self._faults.clear()
            self._calls.clear()

    def calls(self, method: str) -> int:
        """How many calls of `method` have come in since the last `clear`."""
        with self._lock:
            return self._calls[method]

    def _answer(self, body: bytes) -> bytes | None:
        message = json.loads(body)
        methods = [one["method"] for one in message] if isinstance(message, list) else [message["method"]]
        fault = self._fault(methods)
        if fault.drop_before:
            return None
        if fault.before is not None:
            return _error(message, fault.before)
        answer = self._pass_on(body)
        if fault.delay_s:
            time.sleep(fault.delay_s)
        if fault.drop_after:
            return None
        return answer if fault.after is None else _error(message, fault.after)

    def _fault(self, methods: list[str]) -> Fault:
        with self._lock:
            self._calls.update(methods)
            for name in (*methods, "*"):
                fault = self._faults.get(name)
                if fault is None or fault.times == 0:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return Fault()

    def _pass_on(self, body: bytes) -> bytes | None:
        connection = http.client.HTTPConnection(str(self._upstream.hostname), self._upstream.port, timeout=60)
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            return connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return None  # The chain is gone; so are we.
        finally:
            connection.close()

    @contextmanager
    def _serving(self) -> Iterator[None]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


@contextmanager
def faulty_rpc(upstream: str) -> Iterator[FaultyRpc]:
    """A new proxy before the chain at `upstream`, harmless at first."""
    proxy = FaultyRpc(upstream)
    with proxy._serving():
        yield proxy


def _error(message: Any, text: str) -> bytes:
    def one(call: Any) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32000, "message": text}}

    return json.dumps([one(call) for call in message] if isinstance(message, list) else one(message)).encode()
