"""What every act on a subscription needs: the store, the configuration, and the keys that sign links."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.settings import Config
from mailer.store.base import Audience, Journal, Store
from mailer.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Registry:
    """The register of subscribers. Cheap to make, one for each store."""

    store: Store
    config: Config
    tokens: Tokens

    @property
    def audience(self) -> Audience:
        """Subscribers."""
        return self.store.audience

    @property
    def journal(self) -> Journal:
        """What happened to them."""
        return self.store.journal

    def address_hash(self, key: str) -> str:
        """How suppressions know a canonical address."""
        return self.tokens.digest("address", key)
