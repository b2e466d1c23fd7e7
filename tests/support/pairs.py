"""Small pairs: lines and rows as dicts of the fields of DOMAIN §2 and §3, with valid defaults, written to files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from django.core.files.uploadedfile import SimpleUploadedFile
from xlsxwriter import Workbook

Cells = dict[str, str]

STAT_HEADERS = {
    "employer": "Nom Employeur",
    "card_number": "Broker_SunuId",
    "beneficiary": "Nom bénéficiaire",
    "plan": "Acte_Contraté_Assuré",
    "insured_status": "Statut Assuré",
    "policy_number": "Numero de police",
    "main_insured": "Nom Assuré Principal",
    "partner": "Nom du partenaire",
    "partner_address": "Adresse du Partenaire",
    "partner_country": "Pays du partenaire",
    "claim_number": "Numero de sinistre",
    "claim_status": "Statut",
    "incident_date": "Date de sinistre",
    "settlement_date": "Date de règlement",
    "act_category": "Categorie d'acte",
    "guarantee": "Famille Acte",
    "act": "Nom Acte",
    "claimed_amount": "Montant facturé",
    "reimbursed_amount": "Montant remboursé",
    "payment_reference": "N°cheque/Autre_Moyent_de_payement",
    "note": "Note Générale",
    "invoice_number": "Numero de Facture",
    "operator": "Modifié par",
}
RECAP_HEADERS = {
    "claim_number": "reglementId",
    "settlement_date": "date_reglement",
    "claimed_amount": "totalmttreclame",
    "reimbursed_amount": "totalmttrembourse",
    "beneficiary": "beneficiaire",
    "note": "Note",
}
DAY = "15/06/2024"
_LINE = {
    "employer": "PORT DE LOME",
    "beneficiary": "LAWSON AFI",
    "plan": "PLAN A",
    "insured_status": "A",
    "policy_number": "45/RD/GB",
    "main_insured": "LAWSON AFI",
    "partner": "CLINIQUE BIASA",
    "claim_status": "Réglée",
    "incident_date": "10/06/2024",
    "settlement_date": DAY,
    "act_category": "PHARMACIE",
    "act": "PARACETAMOL",
    "claimed_amount": "5000",
    "reimbursed_amount": "4000",
}
_ROW = {"settlement_date": DAY, "claimed_amount": "5000", "reimbursed_amount": "4000"}


def line(claim_number: str, claimed: str = "", reimbursed: str = "", **fields: str) -> Cells:
    """A stat line; defaults: settled on DAY, 5000 claimed, 4000 reimbursed."""
    return _cells(_LINE, claim_number, claimed, reimbursed, fields)


def row(claim_number: str, claimed: str = "", reimbursed: str = "", **fields: str) -> Cells:
    """A recap row; the defaults agree with those of `line`."""
    return _cells(_ROW, claim_number, claimed, reimbursed, fields)


def _cells(defaults: Cells, claim_number: str, claimed: str, reimbursed: str, fields: Cells) -> Cells:
    amounts = {"claimed_amount": claimed, "reimbursed_amount": reimbursed}
    given = {name: text for name, text in amounts.items() if text} | fields
    return defaults | {"claim_number": claim_number} | given


def matching_pair(*lines: Cells) -> tuple[list[Cells], list[Cells]]:
    """The lines, and a recap row for each claim: day of the first line, sums of the lines."""
    rows: dict[str, Cells] = {}
    for one in lines:
        number = one["claim_number"]
        if number not in rows:
            rows[number] = row(
                number, one["claimed_amount"], one["reimbursed_amount"], settlement_date=one["settlement_date"]
            )
            continue
        for name in ("claimed_amount", "reimbursed_amount"):
            rows[number][name] = str(int(rows[number][name]) + int(one[name]))
    return list(lines), list(rows.values())


def stat_csv(lines: Iterable[Cells], name: str = "stat.csv") -> SimpleUploadedFile:
    return _csv(_grid(STAT_HEADERS, lines), name)


def recap_csv(rows: Iterable[Cells], name: str = "recap.csv") -> SimpleUploadedFile:
    return _csv(_grid(RECAP_HEADERS, rows), name)


def stat_xlsx(sheets: dict[str, Sequence[Cells]], *, titles: int = 0, name: str = "stat.xlsx") -> SimpleUploadedFile:
    """A workbook of stat sheets with `titles` rows above each header. All cells are texts."""
    target = io.BytesIO()
    with Workbook(target, {"in_memory": True, "strings_to_formulas": False}) as book:
        for title, lines in sheets.items():
            sheet = book.add_worksheet(title)
            for number in range(titles):
                sheet.write(number, 0, f"Title {number + 1}")
            for number, cells in enumerate(_grid(STAT_HEADERS, lines), titles):
                sheet.write_row(number, 0, cells)
    return SimpleUploadedFile(name, target.getvalue())


def recap_xlsx(rows: Iterable[Cells], *, settled_on: dict[str, float]) -> SimpleUploadedFile:
    """A recap workbook. `settled_on`: claim number → settlement date as a number with a date format."""
    target = io.BytesIO()
    with Workbook(target, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet, day = book.add_worksheet("Récap"), book.add_format({"num_format": "dd/mm/yyyy"})
        for number, cells in enumerate(_grid(RECAP_HEADERS, rows)):
            sheet.write_row(number, 0, cells)
            if cells[0] in settled_on:
                sheet.write_number(number, 1, settled_on[cells[0]], day)
    return SimpleUploadedFile("recap.xlsx", target.getvalue())


def _grid(headers: dict[str, str], rows: Iterable[Cells]) -> list[list[str]]:
    return [list(headers.values()), *([cells.get(field, "") for field in headers] for cells in rows)]


def _csv(grid: list[list[str]], name: str) -> SimpleUploadedFile:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows(grid)
    return SimpleUploadedFile(name, text.getvalue().encode(), "text/csv")


# A pair of one claim as text.
STAT_HEADER = (
    "Nom Employeur;Nom bénéficiaire;Acte_Contraté_Assuré;Statut Assuré;Numero de police;Nom Assuré Principal;"
    "Nom du partenaire;Numero de sinistre;Statut;Date de sinistre;Date de règlement;Categorie d'acte;Nom Acte;"
    "Montant facturé;Montant remboursé"
)
STAT_LINE = (
    "PORT DE LOME;LAWSON AFI;PLAN A;A;45/RD/GB;LAWSON AFI;CLINIQUE BIASA;s-1;Réglée;01/03/2024;10/03/2024;"
    "PHARMACIE;PARACETAMOL;5000;4000"
)
RECAP_HEADER = "reglementId;date_reglement;totalmttreclame;totalmttrembourse"
RECAP_LINE = "S-1;10/03/2024;5000;4000"


def stat_upload(*, name: str = "stat.csv", text: str | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, (text or f"{STAT_HEADER}\n{STAT_LINE}\n").encode(), "text/csv")


def recap_upload(*, name: str = "recap.csv", text: str | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, (text or f"{RECAP_HEADER}\n{RECAP_LINE}\n").encode(), "text/csv")
