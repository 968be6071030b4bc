"""Webhooks: ``sfa webhooks list|add|remove|test|deliveries``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.cli.terminal import Commands, fail, open_studio, print_json

if TYPE_CHECKING:
    import argparse

    from sfa_kernel.catalog.webhooks import DeliveryRow
    from sfa_kernel.webhooks.face import Webhook

__all__ = ["define"]


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    webhooks = commands.add("webhooks", _list, "URLs that are told what happens")
    actions = Commands(webhooks, "action", required=False)
    actions.add("list", _list, "list them")
    add = actions.add("add", _add, "register a URL, and print the secret that its receiver verifies with")
    add.add_argument("url", metavar="URL")
    add.add_argument("--events", metavar="A,B", help="default: all; track.downloaded, track.processed, ...")
    for name, run, text in (
        ("remove", _remove, "forget a webhook and its history"),
        ("test", _test, "send it a ping, and say what it answers"),
    ):
        actions.add(name, run, text).add_argument("id", metavar="ID", help="its id, or the beginning of it")
    deliveries = actions.add("deliveries", _deliveries, "what was told, and what the answers were")
    deliveries.add_argument("id", nargs="?", metavar="ID", help="of one webhook")
    deliveries.add_argument("--limit", type=int, default=50, metavar="N", help="default: 50")


def _list(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        webhooks = list(studio.webhooks)
    if options.json:
        print_json({"webhooks": [_webhook(webhook) for webhook in webhooks]})
    else:
        for webhook in webhooks:
            state = "" if webhook.active else "  off: its receiver is gone"
            print(f"{str(webhook.id)[:8]}  {webhook.url}  {', '.join(webhook.events)}{state}")
        if not webhooks:
            print("no webhooks")
    return 0


def _add(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        if options.events is None:
            webhook = studio.webhooks.add(options.url)
        else:
            webhook = studio.webhooks.add(options.url, events=[name.strip() for name in options.events.split(",")])
        secret = webhook.secret
    if options.json:
        print_json({**_webhook(webhook), "secret": secret})
    else:
        print(f"{str(webhook.id)[:8]}  {webhook.url}  {', '.join(webhook.events)}\nsecret    {secret}")
    return 0


def _remove(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        studio.webhooks.remove(options.id)
    if options.json:
        print_json({"removed": options.id})
    else:
        print(f"{options.id}: removed")
    return 0


def _test(options: argparse.Namespace) -> int:
    from sfa_kernel.webhooks.face import Webhooks

    with open_studio(options) as studio:

        def send() -> None:
            """Send this one message here, and run nothing else that waits."""
            newest = studio.ledger.jobs(kind="webhook", active=True, limit=1)
            studio.work(studio.run_type(studio, [job.id for job in newest]))

        delivery = Webhooks(studio, on_queued=send).test(options.id)
    if options.json:
        print_json(_delivery(delivery))
    if delivery.status != "delivered":
        reason = delivery.attempts[-1].error if delivery.attempts else "There was no answer in time."
        return fail(f"{delivery.url} did not take it: {reason}")
    if not options.json:
        last = delivery.attempts[-1]
        print(f"{delivery.url} answered {last.response_status} after {last.seconds:.1f} s")
    return 0


def _deliveries(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        deliveries = studio.webhooks.deliveries(options.id, limit=options.limit)
    if options.json:
        print_json({"deliveries": [_delivery(delivery) for delivery in deliveries]})
    elif len(deliveries):
        print(deliveries)
    else:
        print("no deliveries")
    return 0


def _webhook(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": list(webhook.events),
        "active": webhook.active,
        "created_at": webhook.created_at.isoformat(),
    }


def _delivery(delivery: DeliveryRow) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "webhook_id": delivery.webhook_id,
        "url": delivery.url,
        "event": delivery.event,
        "status": delivery.status,
        "created_at": delivery.created_at.isoformat(),
        "next_at": delivery.next_at and delivery.next_at.isoformat(),
        "attempts": [
            {
                "number": attempt.number,
                "ended_at": attempt.ended_at.isoformat(),
                "seconds": round(attempt.seconds, 3),
                "response_status": attempt.response_status,
                "error": attempt.error,
            }
            for attempt in delivery.attempts
        ],
    }
