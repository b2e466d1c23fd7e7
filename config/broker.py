"""The embedded broker: a spool folder on disk, for one machine without services."""

import os
import time
import uuid
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

import structlog
from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

log = structlog.get_logger(__name__)


class SpoolChannel(filesystem.Channel):
    """kombu's folder of messages, made safe for several processes.

    As it comes, a reader may take a message while it is being written, and two readers may take one message where
    the system's temporary folder is on another disk. A rename within one folder is atomic, so here a message
    appears whole or not at all, and belongs to whoever renamed it. A message lost with the process that took it is
    only a doorbell: the database knows what is to do.
    """

    supports_fanout = False

    # The types of kombu disagree among themselves about the name of the second argument.
    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        unfinished = folder / f"{uuid.uuid4()}.part"
        # Named by the clock of the wall, which unlike the machine's own goes on after a restart: first in, first out.
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            unfinished.write_text(dumps(payload), encoding="utf-8")
            unfinished.rename(folder / name)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            raise ChannelError(f"cannot write to the broker's folder: {error.strerror}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = Path(self.data_folder_in)
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            # Somebody moved the folder, or its disk is away: nothing to fetch, and no reason to end the worker.
            raise Empty() from None
        for name in names:
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = folder / f"{uuid.uuid4()}.taken"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:
                # Another worker was first.
                continue
            text = taken.read_text(encoding="utf-8", errors="replace")
            taken.unlink()
            try:
                return loads(text)
            except ValueError:
                # A loss of power leaves files without their content. The database knows what was meant.
                log.warning("spoilt_message", characters=len(text))
        raise Empty()

    # Queues are named by their routing key here, so there is no table of bindings on disk to keep whole.

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str) -> None:
        pass

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> list[str]:
        return [routing_key]

    def get_table(self, exchange: str) -> list[Any]:
        return []


class SpoolTransport(filesystem.Transport):
    Channel = SpoolChannel
    implements = filesystem.Transport.implements.extend(exchange_type=frozenset(["direct"]))


TRANSPORT_ALIASES["spool"] = "config.broker:SpoolTransport"
