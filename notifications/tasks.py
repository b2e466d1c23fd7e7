"""Celery tasks of notifications."""

from celery import shared_task

from notifications.delivery import DELIVER_TASK
from notifications.delivery import deliver as deliver_to


@shared_task(name=DELIVER_TASK, ignore_result=True)
def deliver(endpoint_id: int) -> None:
    deliver_to(endpoint_id)
