import os
import socket
from pathlib import Path

import pytest

from cli.config import Settings
from cli.stack import StackError, check_installed, claim_port, locked


def installed(folder: Path) -> Settings:
    for name in ("triton/bin/python3", "models/toy/1/model.onnx"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).touch()
    return Settings(triton_env=folder / "triton", model_repository=folder / "models", model="toy")


def test_what_is_missing_is_named_with_the_command_that_brings_it(tmp_path: Path) -> None:
    settings = installed(tmp_path)
    check_installed(settings)
    (tmp_path / "models/toy/1/model.onnx").unlink()
    with pytest.raises(StackError, match="clearcanvas models pull toy"):
        check_installed(settings)
    (tmp_path / "triton/bin/python3").unlink()
    with pytest.raises(StackError, match="python -m engine install"):
        check_installed(settings)


def test_a_data_folder_serves_one_stack_at_a_time(tmp_path: Path) -> None:
    refused = pytest.raises(StackError, match=f"in use by process {os.getpid()};")
    with locked(tmp_path / "data"), refused, locked(tmp_path / "data"):
        pytest.fail("a second stack has the folder")
    with locked(tmp_path / "data"):
        pass


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StackError, match=rf"{address} cannot be used for HTTP .*--http"):
            claim_port("HTTP", "--http", address)
    assert claim_port("HTTP", "--http", address) == address


def test_port_zero_becomes_a_free_port() -> None:
    host, _, port = claim_port("HTTP", "--http", "127.0.0.1:0").partition(":")
    assert host == "127.0.0.1"
    assert int(port) > 0


def test_an_address_that_is_none_names_its_option() -> None:
    with pytest.raises(StackError, match="--grpc: 'nonsense' is not an address"):
        claim_port("gRPC", "--grpc", "nonsense")
