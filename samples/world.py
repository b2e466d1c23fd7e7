"""The invented people, employers, policies and providers of sample claims.

Within a world, keys are unique by construction (DOMAIN §4 and §6): those of employers, providers and operators by label
key, those of people by name key inside a policy, cards in the whole country. So the number of records that an import
must create is a number of objects, counted without any key function.
"""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass, field
from typing import Literal

from samples.names import (
    BROKERS,
    FORENAMES,
    LEGAL_FORMS,
    PATRONS,
    PLACES,
    PLANS,
    PROVIDERS,
    SURNAMES,
    TOWNS,
    TRADES,
)

CLAIMS_PER_POLICY = 120
CLAIMS_PER_PARTNER = 100

CardHabit = Literal["always", "sometimes", "never"]


@dataclass(slots=True, eq=False)
class Person:
    """An insured person. `head` is the principal of a dependant; `without_lines`: a principal who never has a line."""

    name: str
    status: str
    policy: Policy
    plan: str
    employer: str | None
    card: str
    card_habit: CardHabit
    head: Person | None = None
    without_lines: bool = False
    second_policy: Policy | None = None
    has_dependants: bool = False

    @property
    def principal(self) -> Person:
        return self.head or self


@dataclass(slots=True, eq=False)
class Policy:
    """A group contract, or an individual one (`employers` empty), whose employer column is blank or names the head."""

    number: str
    employers: list[str]
    plans: list[str]
    broker: str | None
    people: list[Person] = field(default_factory=list)
    names: set[tuple[str, ...]] = field(default_factory=set)
    """The names of its people as `name_words`, also of those for whom it is the second policy."""


@dataclass(slots=True, eq=False)
class Partner:
    name: str
    address: str
    country: str


@dataclass(slots=True, eq=False)
class World:
    policies: list[Policy]
    partners: list[Partner]
    operators: list[str]
    claimants: list[Person]
    notable: list[Person]
    """One person of each kind that every pair must have; sample claims start with them."""


def name_words(name: str) -> tuple[str, ...]:
    """The words of a name without accents, sorted: equal exactly when the names are one person's (DOMAIN §4)."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.upper()) if not unicodedata.combining(c))
    return tuple(sorted("".join(c if c.isalnum() else " " for c in plain).split()))


class WorldMaker:
    def __init__(self, *, seed: int, claims: int) -> None:
        self.rng = random.Random(f"world {seed} {claims}")
        self.card_prefix = f"{seed % 1000:03d}"
        self.claims = claims
        self.cards = 0
        self.notable: list[Person] = []

    def make(self) -> World:
        count = max(10, self.claims // CLAIMS_PER_POLICY)
        employers = self._employers(max(3, int(count * 0.7)))
        policies = []
        for index in range(count):
            individual = index % 7 == 3
            policies.append(self._individual(index) if individual else self._group(index, employers))
        self._second_policies([policy for policy in policies if policy.employers])
        claimants = [person for policy in policies for person in policy.people if not person.without_lines]
        return World(
            policies=policies,
            partners=self._partners(max(8, self.claims // CLAIMS_PER_PARTNER)),
            operators=[f"{name} {rest}" for name, rest in zip(SURNAMES[::5], FORENAMES[::5], strict=False)],
            claimants=claimants,
            notable=self.notable + [next(p for p in policy.people if not p.without_lines) for policy in policies[2:5]],
        )

    def _employers(self, count: int) -> list[str]:
        names: dict[str, None] = {}
        while len(names) < count:
            number = f" {len(names) // 500 + 1}" if len(names) >= 500 else ""
            names[f"{self.rng.choice(TRADES)} {self.rng.choice(PLACES)} {self.rng.choice(LEGAL_FORMS)}{number}"] = None
        return list(names)

    def _partners(self, count: int) -> list[Partner]:
        partners: dict[str, Partner] = {}
        while len(partners) < count:
            town, country = self.rng.choice(TOWNS)
            number = f" {len(partners) // 400 + 1}" if len(partners) >= 400 else ""
            name = f"{self.rng.choice(PROVIDERS)} {self.rng.choice(PATRONS)} {town}{number}"
            partners[name] = Partner(name, f"BP {self.rng.randint(1, 9999)} {town}", country)
        return list(partners.values())

    def _number(self, index: int) -> str:
        rng = self.rng
        return f"CD-{2018 + index % 6}-{1000 + index}/{rng.randint(1000, 9999)}/{self.card_prefix}"

    def _group(self, index: int, employers: list[str]) -> Policy:
        rng = self.rng
        first = index % len(employers)
        own = [employers[first]]
        if index % 10 == 1:
            own.append(employers[(first + 1) % len(employers)])
        plans = rng.sample(PLANS, rng.choice((1, 1, 2)))
        policy = Policy(self._number(index), own, plans, rng.choice(BROKERS))
        for family in range(rng.randint(6, 30)):
            self._family(policy, employer=own[family % len(own)], without_lines=rng.random() < 0.15)
        if index % 8 == 0:
            self._near_namesake(policy)
        return policy

    def _individual(self, index: int) -> Policy:
        policy = Policy(self._number(index), [], [self.rng.choice(PLANS)], None)
        self._family(policy, employer=None, without_lines=False)
        self.notable.append(policy.people[0])
        return policy

    def _family(self, policy: Policy, *, employer: str | None, without_lines: bool) -> None:
        rng = self.rng
        plan = rng.choice(policy.plans)
        surname = rng.choice(SURNAMES)
        head = self._person(policy, surname, "A", plan, employer)
        children = rng.choice((0, 0, 1, 2, 3))
        for status in ["C"] * (rng.random() < 0.5) + ["E"] * children:
            name = surname if status == "E" else rng.choice(SURNAMES)
            self._person(policy, name, status, plan, employer).head = head
            head.has_dependants = True
        head.without_lines = without_lines and head.has_dependants
        if (
            head.without_lines
            and policy.people[-1].head is head
            and sum(p.principal.without_lines for p in self.notable) < 2
        ):
            self.notable.append(policy.people[-1])

    def _person(self, policy: Policy, surname: str, status: str, plan: str, employer: str | None) -> Person:
        rng = self.rng
        while True:
            name = f"{surname} {rng.choice(FORENAMES)}"
            if rng.random() < 0.6:
                name += f" {rng.choice(FORENAMES)}"
            words = name_words(name)
            if words not in policy.names and len(set(words)) == len(words):
                break
        policy.names.add(words)
        self.cards += rng.randint(1, 4)
        habit: CardHabit = rng.choice(("always", "always", "always", "always", "sometimes", "never"))
        person = Person(name, status, policy, plan, employer, f"C{self.card_prefix}{100000 + self.cards}", habit)
        policy.people.append(person)
        if habit != "always" and sum(p.card_habit == habit for p in self.notable) < 2 and status != "A":
            self.notable.append(person)
        return person

    def _near_namesake(self, policy: Policy) -> None:
        """Adds a person without a card, whose name differs by one letter from another's: they are two people."""
        for other in policy.people:
            if other.card_habit != "never" or other.without_lines or not other.head:
                continue
            name = other.name[:-1] + ("A" if other.name[-1] != "A" else "O")
            if name_words(name) not in policy.names:
                policy.names.add(name_words(name))
                twin = Person(name, other.status, policy, other.plan, other.employer, "", "never", other.head)
                policy.people.append(twin)
                self.notable += [other, twin]
                return

    def _second_policies(self, groups: list[Policy]) -> None:
        """Gives some people a second policy. Only the card shows that they are the same person.

        Only principals without dependants: a dependant's line has the name of the principal without the card, so a
        family on two policies would look like two families.
        """
        made = 0
        for index, policy in enumerate(groups):
            for person in policy.people:
                if person.status == "A" and not person.has_dependants and self.rng.random() < 0.15:
                    other = groups[(index + 1) % len(groups)]
                    if name_words(person.name) in other.names:
                        continue
                    other.names.add(name_words(person.name))
                    person.second_policy, person.card_habit = other, "always"
                    made += 1
                    if made <= 2:
                        self.notable += [person, person]


def make_world(*, seed: int, claims: int) -> World:
    """The same world for the same `seed` and `claims`; its size grows linearly with `claims`."""
    return WorldMaker(seed=seed, claims=claims).make()
