"""Callers of a server: one attempt, or several that never stop."""

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from clearcanvas.v1 import images_pb2

from tests.support.processes import wait_until
from tests.support.server import Answer, Failure, RunningServer, failure, picture

FAST = images_pb2.EditRequest(image=picture())
SLOW = images_pb2.EditRequest(image=picture(), model="slow")


def attempt(server: RunningServer, request: images_pb2.EditRequest) -> Answer | Failure:
    try:
        return server.edit(request)
    except grpc.RpcError as error:
        return failure(error)


class Load:
    """Several callers, one request after the other each, until the end of the block."""

    def __init__(self, server: RunningServer, callers: int, request: images_pb2.EditRequest = FAST) -> None:
        self._server, self._request = server, request
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(callers)
        self._callers = callers
        self.outcomes: list[Answer | Failure] = []

    def __enter__(self) -> "Load":
        for _ in range(self._callers):
            self._pool.submit(self._call)
        wait_until(lambda: len(self.outcomes) >= self._callers, "the load runs")
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown()

    def _call(self) -> None:
        while not self._stop.is_set():
            self.outcomes.append(attempt(self._server, self._request))

    @property
    def failures(self) -> list[Failure]:
        return [outcome for outcome in self.outcomes if isinstance(outcome, Failure)]


def until_at_work(server: RunningServer, requests: int = 1) -> None:
    wait_until(lambda: len(server.busy_workers()) >= requests, "the request is with a worker")
