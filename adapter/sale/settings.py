"""Settings of the payments: which rails there are, who is paid, where the ledger and the results are kept."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, SecretStr, model_validator
from pydantic.types import StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

from adapter.payments.charge import LONGEST_LIFE_S

RailName = Literal["x402", "mpp"]
EvmAddress = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$")]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#]+[^\s?#]*$")]

# Dollars by operation. A generated background takes a model of its own, whose work is many times that of the others.
PRICES = {
    "remove-background": Decimal("0.05"),
    "matte": Decimal("0.05"),
    "blur": Decimal("0.05"),
    "color": Decimal("0.05"),
    "gradient": Decimal("0.05"),
    "shadow": Decimal("0.05"),
    "picture": Decimal("0.05"),
    "generate": Decimal("0.10"),
    "hd": Decimal("0.20"),
    "video": Decimal("0.50"),
}

_MICRO = 1_000_000  # USDC and pathUSD both have six decimals.
# What is left of a payment's life when the work and the settlement took their longest: clocks differ, blocks wait.
_MARGIN_S = 10


def _check_price(price: Decimal) -> Decimal:
    if not 0 < price <= 1000 or price * _MICRO != int(price * _MICRO):
        message = "a price is over 0, at most 1000 dollars, and has at most six decimals"
        raise ValueError(message)
    return price


def _check_operation(name: str) -> str:
    if name not in PRICES:
        message = f"no such operation; there are {', '.join(PRICES)}"
        raise ValueError(message)
    return name


class PaymentSettings(BaseSettings):
    """Every setting of the payments; each is the environment variable CLEARCANVAS_<NAME>."""

    # An error must not repeat what was set: it may be a key.
    model_config = SettingsConfigDict(
        env_prefix="CLEARCANVAS_", env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    x402_network: Literal["base", "base-sepolia"] = Field("base", description="Chain of the x402 rail.")
    x402_pay_to: EvmAddress | None = Field(None, description="Address that x402 pays; offers the rail when set.")
    x402_rpc_url: HttpUrl | None = Field(None, repr=False, description="JSON-RPC endpoint of the x402 rail's chain.")
    x402_facilitator_url: HttpUrl | None = Field(
        None, description="Remote facilitator that verifies and settles; unset settles in this process with x402_key."
    )
    x402_key: SecretStr | None = Field(None, description="Private key, 0x and 64 hex digits, that pays for gas.")
    x402_key_file: Path | None = Field(None, description="File that holds x402_key.")
    x402_validity_s: PositiveInt = Field(
        180, ge=120, description="Seconds that an x402 authorisation is asked to live, from its signing."
    )
    mpp_network: Literal["tempo", "moderato"] = Field("tempo", description="Chain of the MPP rail.")
    mpp_recipient: EvmAddress | None = Field(None, description="Address that MPP pays; offers the rail when set.")
    mpp_rpc_url: HttpUrl | None = Field(None, repr=False, description="JSON-RPC endpoint of the MPP rail's chain.")
    mpp_secret: SecretStr | None = Field(
        None, description="At least 32 characters that authenticate challenges; the same on all replicas."
    )
    mpp_secret_file: Path | None = Field(None, description="File that holds mpp_secret.")
    mpp_realm: Annotated[str, StringConstraints(pattern=r"^[!#-\[\]-~]{1,253}$")] | None = Field(
        None, description="Realm of the MPP challenges, the same on all replicas; by default public_url's host name."
    )
    mpp_challenge_s: PositiveInt = Field(
        300, ge=20, description="Seconds for which an MPP challenge can be paid; some clients sign for as long."
    )
    hosts: dict[str, tuple[RailName, ...]] = Field(
        default_factory=dict,
        description='Rails by host name, as JSON: {"mpp.example.com": ["mpp"]}; other hosts offer all there are.',
    )
    prices: dict[Annotated[str, AfterValidator(_check_operation)], Annotated[Decimal, AfterValidator(_check_price)]] = (
        Field(
            default_factory=dict,
            description='Dollars by operation, as JSON: {"generate": "0.10", "blur": "0.05"}, the defaults of both.',
        )
    )
    public_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#]+$")] | None = Field(
        None,
        description="Scheme and host that payers see; by default those of the request, as trusted proxies tell it.",
    )
    data: Path = Field(Path("data"), description="Folder of the ledger and the results, where those name no other.")
    ledger: str = Field("", repr=False, description="SQLAlchemy URL of the ledger; by default SQLite in `data`.")
    results: str = Field("", description="URL of the store of results, file:// or s3://; by default in `data`.")
    work_timeout_s: PositiveFloat = Field(15.0, description="Longest that the work of a paid request may take.")
    hd_work_s: PositiveFloat = Field(
        900.0, description="Longest that a large picture may take as a job; its x402 payment is asked to live as long."
    )
    video_work_s: PositiveFloat = Field(
        2700.0, description="As hd_work_s, of a video: three attempts at one, at their longest."
    )
    settle_timeout_s: PositiveFloat = Field(20.0, description="Longest that a request waits for its settlement.")
    retention_h: PositiveInt = Field(24, description="Hours that a delivered result is kept for the same credential.")

    @property
    def rails(self) -> tuple[RailName, ...]:
        """The rails that are configured."""
        recipients: dict[RailName, EvmAddress | None] = {"x402": self.x402_pay_to, "mpp": self.mpp_recipient}
        return tuple(rail for rail, recipient in recipients.items() if recipient is not None)

    @property
    def ledger_url(self) -> str:
        """Where the ledger is."""
        return self.ledger or f"sqlite:///{self.data.absolute()}/ledger.sqlite"

    @property
    def results_url(self) -> str:
        """Where the results are kept."""
        return self.results or f"file://{self.data.absolute()}/results"

    @property
    def realm(self) -> str:
        """The realm of the MPP challenges. A change voids the open ones."""
        return self.mpp_realm or urlsplit(self.public_url or "").hostname or "clearcanvas"

    def amount(self, operation: str) -> int:
        """The price of an operation in millionths of a dollar."""
        return int(self.prices.get(operation, PRICES[operation]) * _MICRO)

    def read_x402_key(self) -> str | None:
        """The hot key, wherever it stands; None where there is none."""
        return _read_secret(self.x402_key, self.x402_key_file)

    def read_mpp_secret(self) -> str | None:
        """The secret of the challenges, wherever it stands; None where there is none."""
        return _read_secret(self.mpp_secret, self.mpp_secret_file)

    @model_validator(mode="after")
    def _check_x402(self) -> Self:
        if self.x402_pay_to is None:
            return self
        if self.x402_rpc_url is None:
            _refuse("x402_rpc_url", "is needed: settlements are looked up on the chain")
        key = _check_secret("x402_key", self.x402_key, self.x402_key_file)
        if (key is None) == (self.x402_facilitator_url is None):
            _refuse("x402_key", "(or its file) or CLEARCANVAS_X402_FACILITATOR_URL must be set, and not both")
        if key is not None and not _is_private_key(key):
            _refuse("x402_key", "is not 0x and 64 hexadecimal digits")
        return self

    @model_validator(mode="after")
    def _check_mpp(self) -> Self:
        if self.mpp_recipient is None:
            return self
        if self.mpp_rpc_url is None:
            _refuse("mpp_rpc_url", "is needed: payments are sent and looked up there")
        if len(_check_secret("mpp_secret", self.mpp_secret, self.mpp_secret_file) or "") < 32:
            _refuse("mpp_secret", "(or its file) needs at least 32 characters")
        return self

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        """A payment must outlive its work, and the claim on it must outlive the payment."""
        needed_s = self.work_timeout_s + self.settle_timeout_s + _MARGIN_S
        if self.x402_validity_s < needed_s:
            _refuse("x402_validity_s", f"must hold the work, the settlement and a margin: at least {needed_s:g}")
        longest_s = max(self.hd_work_s, self.video_work_s)
        if longest_s + needed_s > LONGEST_LIFE_S:
            _refuse("video_work_s", f"leaves no payment that lives as long: at most {LONGEST_LIFE_S - needed_s:g}")
        if self.retention_h * 3600 <= max(self.x402_validity_s, longest_s + needed_s):
            _refuse("retention_h", "must be longer than CLEARCANVAS_X402_VALIDITY_S: a claim outlives its payment")
        return self

    @model_validator(mode="after")
    def _check_hosts(self) -> Self:
        for host, rails in self.hosts.items():
            if host != host.lower() or ":" in host:
                _refuse("hosts", f"{host!r} must be a host name in lower case, without a port")
            for rail in rails:
                if rail not in self.rails:
                    _refuse("hosts", f"{host!r} offers {rail}, which has no recipient")
        return self


def load_payment_settings() -> PaymentSettings:
    """Reads the environment and the file that CLEARCANVAS_ENV_FILE names, if any.

    Raises:
        pydantic.ValidationError: A setting is malformed, or a rail is not wholly configured.
    """
    return PaymentSettings(_env_file=os.environ.get("CLEARCANVAS_ENV_FILE"))


def _refuse(name: str, why: str) -> None:
    message = f"CLEARCANVAS_{name.upper()} {why}"
    raise ValueError(message)


def _check_secret(name: str, value: SecretStr | None, file: Path | None) -> str | None:
    if value is not None and file is not None:
        _refuse(name, "and its file are both set")
    try:
        return _read_secret(value, file)
    except (OSError, UnicodeDecodeError) as error:
        message = f"CLEARCANVAS_{name.upper()}_FILE cannot be read: {type(error).__name__}"
        raise ValueError(message) from None


def _read_secret(value: SecretStr | None, file: Path | None) -> str | None:
    if file is not None:
        return file.read_text(encoding="ascii").strip()
    return value.get_secret_value().strip() if value is not None else None


def _is_private_key(key: str) -> bool:
    digits = key.removeprefix("0x")
    return len(digits) == 64 and not set(digits) - set("0123456789abcdefABCDEF")
