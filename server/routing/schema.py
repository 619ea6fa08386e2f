"""Tables of the routing, in the database of the jobs, the same on SQLite and PostgreSQL.

Versions are written `NAME@VERSION`, shares as a list of such a name and its hundredths.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

_TARGET = String(80)
_SERVER = String(36)

metadata = MetaData()

routes = Table(
    "model_routes",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("shares", JSON, nullable=False),
    Column("mirror", JSON(none_as_null=True)),
    Column("previous", JSON, nullable=False),
    Column("generation", BigInteger, nullable=False),
)

changes = Table(
    "model_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("time", Float, nullable=False),  # seconds since 1970, to be shown
    Column("name", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", Text, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("text", Text, nullable=False),
    Index("model_changes_by_name", "name", "id"),
)

findings = Table(
    "model_findings",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("candidate", _TARGET, primary_key=True),
    Column("answered", _TARGET, primary_key=True),
    Column("compared", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    # Sums, but for the largest.
    Column("difference", Float, nullable=False),
    Column("largest", Float, nullable=False),
    Column("candidate_s", Float, nullable=False),
    Column("answered_s", Float, nullable=False),
)

# What a server holds goes with it: holds and locks of one that is dead are struck off with its row.
servers = Table(
    "model_servers",
    metadata,
    Column("id", _SERVER, primary_key=True),
    Column("beats", BigInteger, nullable=False),
    Column("follows", JSON, nullable=False),  # the generation of each name's routing that its requests go by
    Column("in_flight", JSON, nullable=False),  # versions that somebody waits for here
    Column("ready", JSON, nullable=False),  # versions that all its Tritons have
    Column("failed", JSON, nullable=False),  # versions that one of them could not load, with the reason
)

holds = Table(
    "model_holds",
    metadata,
    Column("id", _SERVER, primary_key=True),
    Column("server", _SERVER, nullable=False),
    Column("target", _TARGET, nullable=False),  # stays loaded as long as this row is there
)

locks = Table(
    "model_locks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("server", _SERVER, nullable=False),
    Column("holder", _SERVER, nullable=False),
)
