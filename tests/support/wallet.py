"""A wallet in the browser as an extension is one: `window.ethereum`, strict as MetaMask, signing with a real key."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from playwright.async_api import BrowserContext

from tests.support.devnet import Wallet

# Codes of EIP-1193 and of EIP-3326 (the last).
REJECTED, UNAUTHORIZED, UNSUPPORTED, UNKNOWN_CHAIN = 4001, 4100, 4200, 4902


class _WalletError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class BrowserWallet:
    """One account, on Ethereum until it is told to switch; its owner agrees to all, or with `rejects` to nothing."""

    account: Wallet
    rejects: bool = False
    chains: set[int] = field(default_factory=lambda: {1})
    """Those it knows without being told of them."""
    chain: int = 1
    connected: bool = False
    signed: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def install(self, context: BrowserContext) -> None:
        """Puts the wallet into every page of `context` that is opened from now on."""
        await context.expose_function("testWallet", self._answer)
        await context.add_init_script(path=Path(__file__).with_suffix(".js"))

    def _answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        self.asked.append(method)
        try:
            return {"result": self._handle(method, params)}
        except _WalletError as error:
            return {"error": {"code": error.code, "message": str(error)}}

    def _handle(self, method: str, params: list[Any]) -> Any:
        match method:
            case "eth_chainId":
                return hex(self.chain)
            case "eth_accounts":
                return [self.account.address.lower()] if self.connected else []
            case "eth_requestAccounts":
                self._ask_owner()
                self.connected = True
                return [self.account.address.lower()]
            case "wallet_switchEthereumChain":
                wanted = int(params[0]["chainId"], 16)
                if wanted not in self.chains:
                    raise _WalletError(UNKNOWN_CHAIN, f"Unrecognized chain ID {hex(wanted)}.")
                self._ask_owner()
                self.chain = wanted
                return None
            case "wallet_addEthereumChain":
                return self._add_chain(params[0])
            case "eth_signTypedData_v4":
                return self._sign(params[0], json.loads(params[1]))
            case _:
                raise _WalletError(UNSUPPORTED, f"{method} is not supported.")

    def _ask_owner(self) -> None:
        if self.rejects:
            raise _WalletError(REJECTED, "User rejected the request.")

    def _add_chain(self, chain: dict[str, Any]) -> None:
        missing = {"chainId", "chainName", "nativeCurrency", "rpcUrls"} - chain.keys()
        assert not missing, f"an extension refuses a chain without {missing}"
        assert all(url.startswith("https://") for url in chain["rpcUrls"]), chain
        self._ask_owner()
        self.chains.add(int(chain["chainId"], 16))
        self.chain = int(chain["chainId"], 16)

    def _sign(self, address: str, message: dict[str, Any]) -> str:
        if not self.connected or address.lower() != self.account.address.lower():
            raise _WalletError(UNAUTHORIZED, "The account was not connected.")
        assert "EIP712Domain" in message["types"], "an extension needs the domain's type"
        domain = int(message["domain"]["chainId"])
        if domain != self.chain:
            raise _WalletError(-32603, f'Provided chainId "{domain}" must match the active chainId "{self.chain}"')
        self._ask_owner()
        self.signed.append(message)
        signed = Account.sign_message(encode_typed_data(full_message=message), self.account.key)
        return f"0x{bytes(signed.signature).hex()}"
