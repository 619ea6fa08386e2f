"""MPP, the Payment scheme of HTTP authentication, with charges in pathUSD on Tempo.

A credential is either *pull*, a signed transaction that we broadcast, or *push*, the hash of one that the payer did.
Both carry a memo that names our challenge, so that a transfer pays for one challenge and no other.
"""

from adapter.payments.mpp.config import MppConfig
from adapter.payments.mpp.rail import MppRail

__all__ = ["MppConfig", "MppRail"]
