"""Webhooks: tell other programs what happens in the library.

Each registered URL gets a signed JSON message when one of its events happens::

    POST /hooks HTTP/1.1
    content-type: application/json
    webhook-id: 0b6c5ea4-...
    webhook-timestamp: 1767225600
    webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=

    {"id": "0b6c5ea4-...", "type": "track.analyzed", "timestamp": "2026-01-01T00:00:00Z", "attempt": 1,
     "data": {"track": {"id": ..., "title": ..., "artist": ...}, "job": {"id": ..., "kind": "analyze", ...}}}

The scheme is that of https://www.standardwebhooks.com, so that its libraries verify our messages. By hand::

    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    genuine = hmac.compare_digest(expected, headers["webhook-signature"])
    fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300

A message may arrive twice when a machine stops at the wrong moment, always with the same ``webhook-id``.
Any answer 2xx within ten seconds is a receipt; what the answer says is not read. 408, 429 and 5xx, and no
answer, are tried again, five times in all; 410 switches the webhook off; anything else is final.
"""

from sfa_kernel.webhooks.kind import EVENTS, WEBHOOK
from sfa_kernel.webhooks.outbox import Outbox

__all__ = ["EVENTS", "WEBHOOK", "Outbox"]
