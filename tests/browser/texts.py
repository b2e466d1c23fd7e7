"""English that a French page must not have: the messages of the catalogue that have another text in French."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from scripts.messages import read_french

_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w*\}|%%|</?\w+>|\n")
LEAST_LENGTH = 12
# Every text that a person reads, or hears from a screen reader.
VISIBLE_TEXTS = """() => {
    const texts = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const parent = walker.currentNode.parentElement;
        if (!parent || parent.closest('script, style, template, [lang]:not(html), .verbatim')) continue;
        const text = walker.currentNode.data.replace(/\\s+/g, ' ').trim();
        if (text) texts.push(text);
    }
    for (const name of ['aria-label', 'placeholder', 'title', 'alt'])
        for (const element of document.querySelectorAll(`[${name}]`))
            if (!element.closest('[lang]:not(html)')) texts.push(element.getAttribute(name));
    texts.push(document.title);
    return texts;
}"""


@dataclass(frozen=True)
class English:
    """`whole`: texts that are English; `parts`: fragments of LEAST_LENGTH letters or more that no French text has."""

    whole: frozenset[str]
    parts: tuple[str, ...]

    def in_texts(self, texts: list[str]) -> list[str]:
        return sorted({text for text in texts if text in self.whole or any(part in text for part in self.parts)})


@cache
def english() -> English:
    whole, parts, french = set(), set(), []
    for message in read_french():
        if not message.id:
            continue
        ours = message.id if isinstance(message.id, tuple | list) else [message.id]
        theirs = message.string if isinstance(message.string, tuple | list) else [message.string]
        french += [str(text) for text in theirs]
        for text in ours:
            if text not in theirs:
                whole.add(text)
                parts |= {part.strip() for part in _PLACEHOLDER.split(text) if len(part.strip()) >= LEAST_LENGTH}
    said = "\n".join(french)
    return English(
        whole=frozenset(text for text in whole if len(text) > 2 and text not in said),
        parts=tuple(sorted(part for part in parts if part not in said)),
    )
