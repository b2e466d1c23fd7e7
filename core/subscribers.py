"""The name of a policy's subscriber, from the names of its clients (DOMAIN §10)."""

from collections.abc import Sequence

from common.keys import clean_text, label_key


def shared_name(clients: Sequence[str]) -> str:
    """Of one client its name; of several the part of their names before `/`, where all share it; else empty.

    Parts are compared by label key; the first client's spelling is taken. A name without `/` is a part as a whole.
    """
    if len(clients) == 1:
        return clients[0]
    parts = [clean_text(name.partition("/")[0]) for name in clients]
    return parts[0] if parts and len({label_key(part) for part in parts}) == 1 else ""
