"""What each program of the stack is told by its environment, and what it is not: secrets go where they are needed."""

import re
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

# How this stack is paid, and where its ledger is, whose addresses may hold passwords: for the adapter alone.
_RAILS = re.compile(r"CLEARCANVAS_(X402|MPP)_\w+")
_BOOKS = re.compile(r"CLEARCANVAS_(LEDGER|RESULTS)")
# Where the API keys are, and where requests are counted: their addresses may hold passwords too.
_API_KEYS = re.compile(r"CLEARCANVAS_KEYS")
_COUNTERS = re.compile(r"CLEARCANVAS_RATE_LIMIT_STORAGE")
_SECRETS = re.compile(r"CLEARCANVAS_\w*(KEY|SECRET|PASSWORD|TOKEN)\w*")
# Where jobs and their files are, and how videos are uploaded: for the server alone.
_JOBS = re.compile(r"CLEARCANVAS_(JOBS|STORE|CLOUDINARY_URL)|CLOUDINARY_URL")
# The keys of remote stores: for the server's jobs and the adapter's results.
_CLOUD = re.compile(r"(AWS|AZURE|GOOGLE)_\w+")
# Who this terminal is at servers elsewhere: the programs of a stack on one machine speak over loopback.
_CERTIFICATES = re.compile(r"CLEARCANVAS_TLS_\w+")
# What `clearcanvas pay` spends from: for no program at all.
_WALLET = re.compile(r"CLEARCANVAS_WALLET\w*")


def for_adapter(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without the payer's wallet, the jobs, and certificates."""
    return _without(environment, _WALLET, _JOBS, _CERTIFICATES)


def for_server(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without wallet, rails, ledger, API keys, certificates, and whatever is named as a secret."""
    return _without(environment, _WALLET, _RAILS, _BOOKS, _API_KEYS, _COUNTERS, _SECRETS, _CERTIFICATES)


def for_others(environment: Mapping[str, str]) -> dict[str, str]:
    """That of the server without its jobs and all keys."""
    return _without(for_server(environment), _JOBS, _CLOUD)


def paid_on_devnet(environment: Mapping[str, str], file: Path) -> dict[str, str]:
    """The environment with the rails as `devnet.env` names them, and no rail nor ledger that was named before.

    The books of real money are no place for that of a local chain.
    """
    named = {name: value for name, value in dotenv_values(file, interpolate=False).items() if value is not None}
    return _without(environment, _RAILS, _BOOKS) | named


def _without(environment: Mapping[str, str], *patterns: re.Pattern[str]) -> dict[str, str]:
    return {
        name: value for name, value in environment.items() if not any(pattern.fullmatch(name) for pattern in patterns)
    }
