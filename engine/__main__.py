"""`python -m engine` runs Triton until it is told to stop; `python -m engine install` makes its environment."""

import fcntl
import logging
import os
import signal
import sys
from pathlib import Path

from pydantic import ValidationError

from cards.check import check_hashes
from cards.errors import CardError
from cards.seal import drop_bytecode
from engine.client import TritonClient
from engine.config import EngineSettings
from engine.environment import locate
from engine.errors import EngineError
from engine.install import install, is_current
from engine.launch import Launch, check_port
from engine.models.extras import EXTRAS, installed_extras
from engine.repository import survey
from engine.shm import check_shm, sweep_shm
from engine.supervisor import Limits, Supervisor
from engine.triton import TritonProcess
from telemetry.logs import Form, set_up

logger = logging.getLogger("engine")


def main(arguments: list[str]) -> int:
    """Run one command; the exit code is 0 unless it failed."""
    try:
        settings = EngineSettings(_env_file=os.environ.get("CLEARCANVAS_ENV_FILE"))
        set_up(settings.log)
        match arguments:
            case []:
                serve(settings)
            case ["install"]:
                install(settings.triton_env)
            case ["install", "--with", *extras] if extras:
                install(settings.triton_env, extras=extras)
            case _:
                message = f"usage: python -m engine [install [--with {' | '.join(EXTRAS)}]]"
                raise EngineError(message)
    except ValidationError as error:
        set_up(Form.TEXT)
        for fault in error.errors():
            name = "_".join(["CLEARCANVAS", *map(str, fault["loc"])]).upper()
            logger.error("%s: %s", name, fault["msg"])
        return 1
    except (CardError, EngineError) as error:
        logger.error("%s", error)
        return 1
    return 0


def serve(settings: EngineSettings) -> None:
    """Run Triton until SIGTERM or Ctrl-C."""
    check_shm(settings.shm_min_mib)
    check_port(settings.host, settings.port)
    launch = prepare(settings)
    lock = _own(settings.data)
    sweep_shm()
    launch.lay_out()
    address = f"127.0.0.1:{settings.port}" if settings.host in {"0.0.0.0", "::"} else settings.triton  # noqa: S104
    supervisor = Supervisor(
        start=lambda: TritonProcess(launch),
        connect=lambda: TritonClient(address),
        limits=Limits(start_s=settings.triton_start_s, hang_s=settings.triton_hang_s),
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        supervisor.start()
        logger.info("Triton serves on %s", settings.triton)
        supervisor.run()
    except KeyboardInterrupt:
        logger.info("stopping")
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        supervisor.close()
        os.close(lock)


def prepare(settings: EngineSettings) -> Launch:
    """Find out what to run and what to serve.

    Raises:
        EngineError: There is no environment, no repository, or nothing in it that can be served.
    """
    if not settings.model_repository.is_dir():
        message = f"{settings.model_repository} is not there: it should hold one folder for each model"
        raise EngineError(message)
    environment = locate(settings.triton_env)
    if not is_current(settings.triton_env):
        message = f"{settings.triton_env} holds other packages than the lock names: run `python -m engine install`"
        raise EngineError(message)
    drop_bytecode(settings.model_repository)
    found = survey(settings.model_repository, installed_extras(settings.triton_env), settings.triton_config)
    for sentence in found.refused:
        logger.error("not served: %s", sentence)
    if problems := check_hashes(settings.model_repository):
        raise EngineError("\n".join(problems))
    for sentence in found.optional:
        logger.info("not served: %s", sentence)
    for sentence in found.warnings:
        logger.warning("%s", sentence)
    if not found.models:
        message = f"{settings.model_repository} has no model that can be served here"
        raise EngineError(message)
    return Launch(
        environment=environment,
        folder=settings.data / "engine",
        repository=settings.model_repository,
        models=found.models,
        host=settings.host,
        port=settings.port,
        cache=settings.data / "compiled",
        log=settings.data / "logs" / "triton.log",
        config=settings.triton_config,
    )


def _own(data: Path) -> int:
    """Hold the data folder for this engine alone; the lock ends with the descriptor."""
    data.mkdir(parents=True, exist_ok=True)
    lock = os.open(data / "engine.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        message = f"another engine runs on {data}: give this one its own CLEARCANVAS_DATA"
        raise EngineError(message) from error
    return lock


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
