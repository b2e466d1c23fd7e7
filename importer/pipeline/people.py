"""Matching of persons: those of an import with those of the country (DOMAIN §6, insured).

A person is known by card number in the country; without one, by name key (or another known spelling) among the people
of the policy. Two different cards are two persons even under one name, and misspellings are never merged: both are
only listed.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

NEW_ID_STEP = -1


@dataclass
class NewPerson:
    """A person to create. `id` is provisional: negative, counted down from -1."""

    id: int
    name: str
    name_key: str
    card_number: str
    card_key: str
    is_deduced: bool
    file_line: int


@dataclass
class Completion:
    """The data that a later import adds to a person who was known by name only. `name`: empty where the present one
    stays.
    """

    name: str
    card_number: str
    card_key: str


@dataclass
class Directory:
    """All persons of the country, and those that this import adds.

    `existing`: (id, name_key, card_key, is_deduced); `spellings`: (insured_id, name_key); `members`: (policy,
    insured_id), where a policy is its key. `with_chosen_name`: ids of those whose name a person chose (DOMAIN §12).
    """

    by_card: dict[str, int] = field(default_factory=dict)
    by_name: dict[str, dict[str, list[int]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    card_of: dict[int, str] = field(default_factory=dict)
    deduced: set[int] = field(default_factory=set)
    # The key of the name that a record has, of those whose name an import may write anew.
    renewable: dict[int, str] = field(default_factory=dict)
    names_of: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    policies_of: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    created: list[NewPerson] = field(default_factory=list)
    completed: dict[int, Completion] = field(default_factory=dict)
    new_spellings: list[tuple[int, str, str]] = field(default_factory=list)
    homonyms: list[tuple[str, int, int]] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        *,
        existing: Iterable[tuple[int, str, str, bool]],
        spellings: Iterable[tuple[int, str]],
        members: Iterable[tuple[str, int]],
        with_chosen_name: Iterable[int] = (),
    ) -> "Directory":
        directory = cls()
        chosen = set(with_chosen_name)
        for id_, name_key, card_key, is_deduced in existing:
            directory.names_of[id_].add(name_key)
            directory.card_of[id_] = card_key
            if id_ not in chosen:
                directory.renewable[id_] = name_key
            if card_key:
                directory.by_card[card_key] = id_
            if is_deduced:
                directory.deduced.add(id_)
        for id_, name_key in spellings:
            directory.names_of[id_].add(name_key)
        for policy, id_ in members:
            directory._enrol(policy, id_)
        return directory

    def with_card(self, *, policy: str, card_key: str, card_number: str, name: str, name_key: str, line: int) -> int:
        """The person with this card. A person of that name in the policy who had no card receives it."""
        found = self.by_card.get(card_key)
        if found is None:
            without_card = [p for p in self.by_name[policy][name_key] if not self.card_of[p]]
            if without_card:
                found = without_card[0]
                self._give_card(found, card_key=card_key, card_number=card_number, name=name, name_key=name_key)
            else:
                others = self.by_name[policy][name_key]
                found = self._create(name, name_key, card_number, card_key, is_deduced=False, line=line)
                if others:
                    self.homonyms.append((name_key, others[0], found))
            self.by_card[card_key] = found
        elif found in self.deduced:
            self._give_card(found, card_key=card_key, card_number=card_number, name=name, name_key=name_key)
        if name_key not in self.names_of[found]:
            self.names_of[found].add(name_key)
            self.new_spellings.append((found, name, name_key))
            for other_policy in self.policies_of[found]:
                self._enrol(other_policy, found)
        self._enrol(policy, found)
        return found

    def without_card(self, *, policy: str, name: str, name_key: str, line: int) -> int:
        """The person of that name among the people of the policy, else a new one."""
        found = self._known(policy, name_key)
        if found is None:
            found = self._create(name, name_key, "", "", is_deduced=False, line=line)
        elif found in self.deduced:
            self._give_card(found, card_key="", card_number="", name=name, name_key=name_key)
        self._enrol(policy, found)
        return found

    def principal(self, *, policy: str, name: str, name_key: str, line: int) -> int:
        """The principal of that name; a new one is marked as deduced, having no line of their own (DOMAIN §6)."""
        found = self._known(policy, name_key)
        if found is None:
            found = self._create(name, name_key, "", "", is_deduced=True, line=line)
        self._enrol(policy, found)
        return found

    def _known(self, policy: str, name_key: str) -> int | None:
        candidates = self.by_name[policy][name_key]
        return candidates[0] if candidates else None

    def _enrol(self, policy: str, person: int) -> None:
        self.policies_of[person].add(policy)
        for name_key in self.names_of[person]:
            people = self.by_name[policy][name_key]
            if person not in people:
                people.append(person)

    def _create(self, name: str, name_key: str, card_number: str, card_key: str, *, is_deduced: bool, line: int) -> int:
        id_ = NEW_ID_STEP * (len(self.created) + 1)
        self.created.append(NewPerson(id_, name, name_key, card_number, card_key, is_deduced, line))
        self.names_of[id_].add(name_key)
        self.card_of[id_] = card_key
        if is_deduced:
            self.deduced.add(id_)
        return id_

    def _give_card(self, person: int, *, card_key: str, card_number: str, name: str, name_key: str) -> None:
        self.deduced.discard(person)
        self.card_of[person] = card_key or self.card_of[person]
        if person < 0:
            new = self.created[-person - 1]
            new.card_key, new.card_number = card_key or new.card_key, card_number or new.card_number
            new.is_deduced = False
        else:
            # A person may be found by another spelling, which is no reason for another name.
            renewed = name if self.renewable.get(person) == name_key else ""
            self.completed[person] = Completion(renewed, card_number, card_key)
