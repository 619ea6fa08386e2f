"""Tables of the ledger, the same on SQLite and PostgreSQL, and what the database itself refuses to change."""

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)

metadata = MetaData()

claims = Table(
    "claims",
    metadata,
    Column("id", String(32), primary_key=True),
    # What is paid, see PaymentFacts. `name` is the first key.
    Column("name", Text, nullable=False, unique=True),
    Column("rail", Text, nullable=False),
    Column("network", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("payer", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("amount", BigInteger, CheckConstraint("amount > 0"), nullable=False),
    Column("keys", JSON, nullable=False),
    Column("expires_at", BigInteger),
    Column("evidence", JSON, nullable=False),
    Column("idempotency_key", Text),
    Column("proof", Text, nullable=False),
    # What it buys.
    Column("operation", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    # How far it has come, and who works on it: only the holder of the newest `fence` may go on.
    Column("state", String(16), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("checked_at", Float, nullable=False),
    Column("verified_at", Float),  # Absent: nothing in this row is believed yet.
    # What came of it.
    Column("result_path", Text),
    Column("result_type", Text),
    Column("result_size", BigInteger),
    Column("result_headers", JSON),
    Column("transaction", Text),
    Column("settled_at", BigInteger),
    Column("delivered_at", Float),
    Index("claims_by_state", "state", "checked_at"),
)

claim_keys = Table(
    "claim_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("claim", String(32), ForeignKey("claims.id", ondelete="CASCADE"), nullable=False, index=True),
)

journal = Table(
    "journal",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("claim", String(32), ForeignKey("claims.id"), nullable=False),
    Column("kind", String(16), CheckConstraint("kind IN ('settlement', 'delivery')"), nullable=False),
    Column("side", String(6), CheckConstraint("side IN ('debit', 'credit')"), nullable=False),
    Column("account", Text, nullable=False),
    Column("amount", BigInteger, CheckConstraint("amount > 0"), nullable=False),
    Column("at", Float, nullable=False),
    # One settlement and one delivery a claim, whatever the code above believes.
    UniqueConstraint("claim", "kind", "side"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("lease_until", Float, nullable=False),
)

# Money that has arrived stays arrived: the database refuses to forget it, also from a hand-written statement.
_FINAL = (
    "(OLD.state = 'settled' AND NEW.state NOT IN ('settled', 'delivered'))"
    " OR (OLD.state = 'delivered' AND NEW.state <> 'delivered')"
)
GUARDS = (
    ("journal_update", "UPDATE ON journal", "1 = 1", "the journal is append-only"),
    ("journal_delete", "DELETE ON journal", "1 = 1", "the journal is append-only"),
    ("claims_final", "UPDATE ON claims", _FINAL, "a settled claim never goes back"),
    ("claims_kept", "DELETE ON claims", "OLD.state NOT IN ('claimed', 'released')", "this claim may not be forgotten"),
)


def _guard(name: str, when: str, condition: str, message: str) -> None:
    sqlite = (
        f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {when} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )
    function = (
        f"CREATE OR REPLACE FUNCTION {name}_refused() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$"
    )
    postgres = (
        f"CREATE OR REPLACE TRIGGER {name} BEFORE {when} FOR EACH ROW WHEN ({condition}) "
        f"EXECUTE FUNCTION {name}_refused()"
    )
    for dialect, statement in (("sqlite", sqlite), ("postgresql", function), ("postgresql", postgres)):
        ddl = DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
        event.listen(metadata, "after_create", ddl)


for _each in GUARDS:
    _guard(*_each)
