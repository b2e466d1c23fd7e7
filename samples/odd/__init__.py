"""The odd files that DOMAIN §4 decides, each kind with its effect on the outcome."""

from __future__ import annotations

from collections.abc import Iterable

from samples.odd import amounts, dates, headers, layouts, merged, packages, references, texts
from samples.odd.kind import OddKind, Where

ODD_KINDS: dict[str, OddKind] = {
    kind.name: kind
    for module in (layouts, packages, headers, merged, texts, references, amounts, dates)
    for kind in module.KINDS
}


def find_kinds(names: Iterable[str], *, fmt: str, where: Where) -> list[OddKind]:
    """The kinds of these names. Raises ValueError when one is unknown, or when they do not go together."""
    chosen = set(names)
    if unknown := chosen - set(ODD_KINDS):
        raise ValueError(f"there is no odd kind {min(unknown)!r}; the kinds are: {', '.join(ODD_KINDS)}")
    kinds = [kind for name, kind in ODD_KINDS.items() if name in chosen]
    groups = [kind.group for kind in kinds]
    for kind in kinds:
        if groups.count(kind.group) > 1:
            raise ValueError(f"a pair has only one of the kinds {kind.group}-…")
        if fmt not in kind.formats:
            raise ValueError(f"{kind.name} needs the format {' or '.join(kind.formats)}")
        if where not in ("both", *kind.sides):
            raise ValueError(f"{kind.name} exists in the {kind.sides[0]} file only")
    return kinds


__all__ = ["ODD_KINDS", "OddKind", "Where", "find_kinds"]
