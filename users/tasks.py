"""Celery tasks of accounts."""

from celery import shared_task

from users.sign_in.mails import SEND_TASK, send_due


@shared_task(name=SEND_TASK, ignore_result=True)
def send_mails() -> None:
    send_due()
