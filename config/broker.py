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
    """kombu's channel of message files, made safe for several processes.

    In kombu's own, a reader may read a message that is still being written, and two readers may get the same message if
    the temporary folder is on another disk. A rename within one folder is atomic: so a message appears complete, and
    only one reader gets it. A message may be lost with the process that took it, because the database is the queue of
    record.
    """

    supports_fanout = False

    # The type stubs of kombu use two names for the second argument.
    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        unfinished = folder / f"{uuid.uuid4()}.part"
        # Named by wall-clock time, which unlike monotonic time continues after a restart: first in, first out.
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
            # The folder was moved or its disk is not mounted: nothing to fetch, and no reason to end the worker.
            raise Empty() from None
        for name in names:
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            claimed = folder / f"{uuid.uuid4()}.taken"
            try:
                (folder / name).rename(claimed)
            except FileNotFoundError:
                # Another worker was first.
                continue
            text = claimed.read_text(encoding="utf-8", errors="replace")
            claimed.unlink()
            try:
                return loads(text)
            except ValueError:
                # After a power failure, files may be empty or incomplete. The sweeper sends the task again.
                log.warning("spoilt_message", characters=len(text))
        raise Empty()

    # A queue has the name of its routing key, so no table of bindings is needed on disk.

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
