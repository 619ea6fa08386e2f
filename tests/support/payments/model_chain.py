"""A chain small enough to be obviously right: balances, a mempool, nonces that can be used once, and a clock."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Transfer:
    """A signed transfer. One with the same `nonce` can be mined once; none from `valid_before` on."""

    payer: str
    recipient: str
    amount: int
    nonce: str
    valid_before: int | None = None
    memo: str = ""

    @property
    def transaction(self) -> str:
        return "0x" + (self.nonce + self.recipient).encode().hex().ljust(64, "0")[:64]


@dataclass
class ModelChain:
    now: float = 1_800_000_000.0
    balances: dict[str, int] = field(default_factory=dict)
    pool: list[Transfer] = field(default_factory=list)
    mined: dict[str, Transfer] = field(default_factory=dict)  # By nonce.

    def send(self, transfer: Transfer) -> None:
        if transfer not in self.pool:
            self.pool.append(transfer)

    def mine(self) -> None:
        """Everything in the pool is mined or refused for ever."""
        for transfer in self.pool:
            expired = transfer.valid_before is not None and self.now >= transfer.valid_before
            if expired or transfer.nonce in self.mined or self.balances.get(transfer.payer, 0) < transfer.amount:
                continue
            self.balances[transfer.payer] -= transfer.amount
            self.balances[transfer.recipient] = self.balances.get(transfer.recipient, 0) + transfer.amount
            self.mined[transfer.nonce] = transfer
        self.pool = []

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def drop_pool(self) -> None:
        """Nodes forget what they have not mined."""
        self.pool = []

    def drain(self, payer: str) -> None:
        """The payer spends all elsewhere."""
        self.balances["elsewhere"] = self.balances.get("elsewhere", 0) + self.balances.get(payer, 0)
        self.balances[payer] = 0

    def burn(self, transfer: Transfer) -> None:
        """The payer uses the nonce for a transfer to somebody else."""
        self.mined.setdefault(transfer.nonce, Transfer(transfer.payer, "elsewhere", 0, transfer.nonce))
