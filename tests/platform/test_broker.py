import contextlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from celery import Celery
from kombu import Connection, Exchange, Producer, Queue
from kombu.exceptions import ChannelError, OperationalError

from config import services
from config.celery import FIXED_SETTINGS, app

QUEUE = Queue("concord", Exchange("concord"), routing_key="concord")


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def connect(folder):
    settings = services.broker(redis_url="", folder=folder, prefix="", visibility_seconds=1)
    return Connection(settings["broker_url"], transport_options=settings["broker_transport_options"])


def send(folder, bodies):
    with connect(folder) as connection:
        producer = Producer(connection)
        for body in bodies:
            producer.publish(body, exchange=QUEUE.exchange, routing_key="concord", declare=[QUEUE])


def take_all(folder):
    taken = []
    with connect(folder) as connection, connection.channel() as channel:
        while message := QUEUE.bind(channel).get():
            taken.append(message.payload)
            message.ack()
    return taken


def test_messages_arrive_in_the_order_of_sending(folder):
    send(folder, [{"number": number} for number in range(20)])
    assert [message["number"] for message in take_all(folder)] == list(range(20))


def test_every_message_reaches_exactly_one_of_several_readers(folder):
    send(folder, range(200))
    with ThreadPoolExecutor(4) as pool:
        taken = [number for part in pool.map(take_all, [folder] * 4) for number in part]
    assert sorted(taken) == list(range(200))
    assert list(folder.iterdir()) == []


def test_a_message_is_never_seen_half_written(folder):
    bodies = [{"filling": "x" * 200_000, "number": number} for number in range(30)]
    with ThreadPoolExecutor(2) as pool:
        sending = pool.submit(send, folder, bodies)
        taken = []
        while not sending.done() or len(taken) < len(bodies):
            taken += take_all(folder)
        sending.result()
    assert [message["number"] for message in taken] == list(range(30))


def test_a_folder_that_cannot_be_written_is_a_broker_error(folder):
    with connect(folder) as connection:
        producer = Producer(connection)
        producer.publish(1, exchange=QUEUE.exchange, routing_key="concord", declare=[QUEUE])
        for message in folder.iterdir():
            message.unlink()
        folder.rmdir()
        folder.write_text("a file in its place")
        with pytest.raises(ChannelError):
            producer.publish(2, exchange=QUEUE.exchange, routing_key="concord")
        folder.unlink()
        folder.mkdir()


def test_a_message_is_acknowledged_only_after_its_task():
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.result_backend is None


def test_a_publisher_tries_a_redis_that_fails_only_once():
    connections = []

    def accept_and_close(server):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                connections.append(connection)
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept_and_close, args=[server], daemon=True).start()
        redis_url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        celery = Celery("refused", set_as_current=False)
        settings = services.broker(redis_url=redis_url, folder=None, prefix="", visibility_seconds=60)
        celery.conf.update(settings | FIXED_SETTINGS)
        with pytest.raises(OperationalError):
            celery.send_task("importer.run_session", args=[1])
        celery.close()
    assert len(connections) == 1
