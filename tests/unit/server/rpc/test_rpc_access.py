"""Who may call what: by the certificate's name, and without certificates by who can reach the port."""

from collections.abc import Mapping

import pytest

from server.config import Settings
from server.errors import NotAllowedError
from server.rpc.access import Access, certified_names

DEFAULTS = Settings().callers
SERVICES = ("ImageService", "JobService", "ModelService")


def identity(*names: str, common_name: str = "") -> Mapping[str, list[bytes]]:
    return {"peer_dns": [name.encode() for name in names], "x509_common_name": [common_name.encode()]}


def allowed(access: Access, who: Mapping[str, list[bytes]]) -> list[str]:
    return [service for service in SERVICES if not refused(access, who, service)]


def refused(access: Access, who: Mapping[str, list[bytes]], service: str) -> bool:
    try:
        access.check(who, service)
    except NotAllowedError:
        return True
    return False


@pytest.mark.case("H19")
@pytest.mark.case("C2")
@pytest.mark.parametrize(
    ("who", "services"),
    [
        (identity("adapter"), ["ImageService", "JobService"]),
        (identity("operator"), [*SERVICES]),
        (identity("someone"), []),
        (identity("server", "localhost"), []),
        (identity("someone", "operator"), [*SERVICES]),
        (identity(common_name="adapter"), ["ImageService", "JobService"]),
        (identity("someone", common_name="operator"), []),
        (identity(), []),
        ({}, []),
        (identity("ADAPTER"), []),
        (identity("*"), []),
        (identity("adapter\n"), []),
    ],
)
def test_the_name_in_the_certificate_decides(who: Mapping[str, list[bytes]], services: list[str]) -> None:
    assert allowed(Access(DEFAULTS, local=False), who) == services
    assert allowed(Access(DEFAULTS, local=True), who) == services


@pytest.mark.case("C2")
def test_without_certificates_models_are_swapped_on_this_machine_alone() -> None:
    assert allowed(Access(None, local=True), {}) == [*SERVICES]
    assert allowed(Access(None, local=False), {}) == ["ImageService", "JobService"]


def test_a_common_name_counts_only_where_there_is_no_other() -> None:
    assert certified_names(identity("a", "b", common_name="c")) == ("a", "b")
    assert certified_names(identity(common_name="c")) == ("c",)
    assert certified_names(identity()) == ()


def test_the_refusal_names_caller_and_service() -> None:
    with pytest.raises(NotAllowedError, match="'adapter' does not allow ModelService"):
        Access(DEFAULTS, local=True).check(identity("adapter"), "ModelService")
