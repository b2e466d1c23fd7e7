"""What the demo has to review: a small pair with names of each kind that are nearly the same, and two answers."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.api_client import Client

STAT = (
    "Nom Employeur", "Nom bénéficiaire", "Statut Assuré", "Numero de police", "Nom Assuré Principal",
    "Nom du partenaire", "Numero de sinistre", "Statut", "Date de sinistre", "Date de règlement", "Categorie d'acte",
    "Nom Acte", "Montant facturé", "Montant remboursé", "Modifié par",
)  # fmt: skip
RECAP = ("reglementId", "date_reglement", "totalmttreclame", "totalmttrembourse")
# The spelling of most claims, and that of one: of each kind, what is answered first, then what waits.
CLIENTS = (("SAVANES TRANSPORT", "SAVANE TRANSPORT"), ("OTI CIMENTS", "OTI CIMENT"))
PARTNERS = (("CLINIQUE BON SECOURS", "CLINIQUE BON SECOUR"), ("PHARMACIE DES LAGUNES", "PHARMACIE DES LAGUNNES"))
PEOPLE = (("AGBODJAN KOSSI", "AGBODJAN KOSI"), ("TCHALLA MAZAMESSO", "TCHALLA MAZAMESO"))
OPERATORS = (("ABALO ESSOHANAM", "ABALLO ESSOHANAM"), ("DOSSEH AFEFA", "DOSSEH AFFEFA"))
ANSWERS = {CLIENTS[0][1]: "same", PARTNERS[0][1]: "different"}
OFTEN = 3
CATEGORY, ACT = "PHARMACIE", "MEDICAMENTS"
# Each differs from an act of the other samples by singular and plural, by one letter, or by one letter and the accents;
# the category of the last one as well.
NEAR_ACTS = (
    ("SOINS AMBULATOIRES", "CONSULTATIONS GÉNÉRALISTES"),
    ("PHARMACIE", "MÉDICAMENT SUR ORDONNANCE"),
    ("IMAGERIE", "SCANER CEREBRAL"),
    ("SOINS DENTAIRES", "DÉTARTAGE"),
    ("IMAGERIES", "RADIOGRAPHIES DU THORAX"),
)


def make_review_pair(folder: Path, *, day: dt.date) -> tuple[Path, Path]:
    """A stat file and a recap in `folder`, whose claims were settled on `day`."""
    folder.mkdir(parents=True, exist_ok=True)
    stat, recap = folder / "names-stat.csv", folder / "names-recap.csv"
    lines = list(_lines(f"{day:%d/%m/%Y}"))
    for path, header, rows in (
        (stat, STAT, lines),
        (recap, RECAP, [(line[6], line[9], line[12], line[13]) for line in lines]),
    ):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(header)
            writer.writerows(rows)
    return stat, recap


def _lines(day: str) -> Iterator[tuple[str, ...]]:
    number = 0
    acts = iter(NEAR_ACTS)
    for names in zip(CLIENTS, PARTNERS, PEOPLE, OPERATORS, strict=True):
        for spelling in (0,) * OFTEN + (1,):
            number += 1
            client, partner, person, operator = (one[spelling] for one in names)
            category, act = next(acts, (CATEGORY, ACT))
            yield (
                client, person, "A", f"REV/{names[0][0][:3]}", person, partner, f"NAMES{number:03d}", "Réglée", day,
                day, category, act, str(10_000 + number * 500), str(8_000 + number * 400), operator,
            )  # fmt: skip


def answer_two(client: Client) -> list[dict[str, Any]]:
    """One pair answered each way; the others wait. Nothing is done for pairs that an earlier run has answered."""
    answered = []
    pairs = client.call("GET", "/api/v1/review-pairs/?state=waiting&page_size=200")["results"]
    for pair in pairs:
        decision = next((ANSWERS[one] for one in (pair["one"]["name"], pair["other"]["name"]) if one in ANSWERS), None)
        if decision:
            path = f"/api/v1/review-pairs/{pair['id']}/decide/"
            answered.append(client.call("POST", path, json={"decision": decision}))
    return answered
