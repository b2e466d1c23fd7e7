"""Pairs of numbered claims: the number of a claim determines its content, so that two pairs can overlap."""

from __future__ import annotations

import csv
import json
from pathlib import Path

STAT = (
    "Nom Employeur", "Broker_SunuId", "Nom bénéficiaire", "Acte_Contraté_Assuré", "Statut Assuré", "Numero de police",
    "Nom Assuré Principal", "Nom du partenaire", "Numero de sinistre", "Statut", "Date de sinistre",
    "Date de règlement", "Categorie d'acte", "Nom Acte", "Montant facturé", "Montant remboursé", "Numero de Facture",
)  # fmt: skip
RECAP = ("reglementId", "date_reglement", "totalmttreclame", "totalmttrembourse")
LINES = 2


def make_numbered_pair(folder: Path, *, claims: range) -> Path:
    """A pair of these claims, all conform, with LINES lines each. People, policies, providers and acts recur."""
    folder.mkdir(parents=True, exist_ok=True)
    stat: list[tuple[str, ...]] = []
    recap: list[tuple[str, ...]] = []
    for n in claims:
        number, day = f"NB{n:06d}", f"{1 + n % 28:02d}/{1 + n % 12:02d}/2024"
        person = f"PERSON {n % 40:03d}"
        stat += [
            (
                f"EMPLOYER {n % 5}", f"CARD{n % 40}", person, "PLAN A", "A", f"POL/{n % 5}", person,
                 f"PROVIDER {n % 7}", number, "Réglée", day, day, f"CATEGORY {(n + part) % 6}",
                 f"ACT {(n + part) % 30}", str(1000 + n), str(800 + n), f"INV/{n}",
            )
            for part in range(LINES)
        ]  # fmt: skip
        recap.append((number, day, str(LINES * (1000 + n)), str(LINES * (800 + n))))
    for name, header, rows in (("stat.csv", STAT, stat), ("recap.csv", RECAP, recap)):
        with (folder / name).open("w", newline="", encoding="utf-8") as target:
            csv.writer(target, delimiter=";").writerows([header, *rows])
    (folder / "expected.json").write_text(json.dumps({"files": {"stat": "stat.csv", "recaps": ["recap.csv"]}}))
    return folder


def claimed_sum(claims: range) -> int:
    """The sum of the claimed amounts of these claims."""
    return sum(LINES * (1000 + n) for n in claims)
