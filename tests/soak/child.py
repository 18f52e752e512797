"""Forks real queue processes of one terminal whose days pass in seconds; the protocol is `queue_child`'s."""

from __future__ import annotations

from offline_queue.keys.renewal import RenewalPlan
from offline_queue.process import QueueOptions
from offline_queue.uplink.policy import Backoff, SyncDelays
from tests.queue.queue_child import run

_DAY = 1 / 90
OPTIONS = QueueOptions(
    delays=SyncDelays(
        heartbeat=1.0,
        manifest=5.0,
        house=3.0,
        link=Backoff(0.05, 0.5),
        hall=Backoff(0.05, 0.5),
        item=Backoff(0.1, 2.0),
        refused=1.0,
    ),
    renewal=RenewalPlan(again=_DAY / 86400 * 4),  # looks every four seconds, for days pass in seconds here
    renewal_s=2.0,
)

if __name__ == "__main__":
    run(OPTIONS)
