"""What Celery workers do for accounts."""

from celery import shared_task

from users.sign_in.letters import SEND_TASK, send_due


@shared_task(name=SEND_TASK, ignore_result=True)
def send_letters() -> None:
    send_due()
