"""From the nodes' journals to the store: every call once, oldest first, whatever dies in between."""

from ivr.delivery.courier import Courier
from ivr.delivery.journal_delivery import JournalDelivery, Recorder

__all__ = ["Courier", "JournalDelivery", "Recorder"]
