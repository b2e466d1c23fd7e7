"""A correction of a whole import: `python -m scripts.bench.corrections JOB`, a JSON object of `scripts.bench.__main__`.

A tenth of the claims of a pair have a spoiled cell. Measured as a client sees it: the import, its correction workbook,
and the session that corrects all of these cells, until its review and from the commit until the end.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Any

from importer.corrections.values import COLUMNS, objection
from samples.pairs import make_rows
from samples.spoiling import spoil
from samples.writing import SHEET, write_pair
from scripts.api_client import Client
from scripts.bench.databases import BenchError
from scripts.bench.imports import end_of
from scripts.bench.measurement import Measurement, machine, run, say
from tests.support.spoiled_pairs import corrections_of

SHARE_OF_CELLS = 10


@dataclass(frozen=True)
class Correction:
    """Seconds of each part; `findings`: of the first import; `corrected`: claims that differ in the review."""

    first: float
    workbook: float
    review: float
    commit: float
    findings: int
    corrected: int


class CorrectionMeasurement(Measurement):
    def __init__(self, job: dict[str, Any]) -> None:
        super().__init__(job)
        pair = make_rows(claims=self.claims, seed=11, pages=job["pages"])
        self.spoiled = spoil(pair, cells=self.claims // SHARE_OF_CELLS, rows=0, seed=11)
        out = self.folder / "spoiled"
        out.mkdir(exist_ok=True)
        chance = Random(0)  # noqa: S311  (invented data)
        stat, recaps = write_pair(out, self.spoiled.stat, self.spoiled.recap_pages, fmt="xlsx", rng=chance)
        self.stat, self.recaps = out / stat, [out / page for page in recaps]

    def measure(self, runs: int) -> dict[str, Any]:
        say(f"\n{self.name}: {self.claims} claims, {len(self.spoiled.cells)} cells spoiled; {machine()}")
        self.databases.make_empty()
        try:
            found = [self.correction() for _ in range(runs)]
        finally:
            self.databases.drop()
        names = ("first", "workbook", "review", "commit")
        figures = {name: round(median(getattr(one, name) for one in found), 2) for name in names}
        figures |= {"findings": found[0].findings, "corrected": found[0].corrected}
        say("  " + ", ".join(f"{name} {value}" for name, value in figures.items()))
        return figures

    def correction(self) -> Correction:
        with self.served_client() as (client, _worker):
            began = time.perf_counter()
            session = self._ended(client, client.import_pair(stat=self.stat, recaps=self.recaps), began)
            path = f"/api/v1/import-sessions/{session['id']}/"
            findings = client.call("GET", f"{path}findings/", fields={"page_size": "1"})["count"]
            began = time.perf_counter()
            client.save_correction_workbook(session["id"], target=self.folder / "corrections.xlsx")
            workbook = time.perf_counter() - began
            body = self._body(client, session)
            began = time.perf_counter()
            reviewed = self._ended(client, client.call("POST", f"{path}corrections/", json=body), began)
            if reviewed["status"] != "REVIEW":
                raise BenchError(f"The corrected import ended as {reviewed['status']}: {reviewed['message']}")
            path = f"/api/v1/import-sessions/{reviewed['id']}/"
            corrected = client.call("GET", f"{path}comparison/")["count"]
            began = time.perf_counter()
            written = self._ended(client, client.call("POST", f"{path}commit/"), began)
        return Correction(session["seconds"], workbook, reviewed["seconds"], written["seconds"], findings, corrected)

    def _ended(self, client: Client, session: dict[str, Any], began: float) -> dict[str, Any]:
        """The session at its end, with the `seconds` since `began`."""
        ended = end_of(client, session["id"], max_seconds=self.max_seconds)
        if ended["status"] == "ERROR":
            raise BenchError(f"An import ended as ERROR: {ended['message']}")
        return ended | {"seconds": time.perf_counter() - began}

    def _body(self, client: Client, session: dict[str, Any]) -> dict[str, Any]:
        recap = client.call("GET", f"/api/v1/files/{session['recap_file']['id']}/")
        ids = {page["name"]: page["id"] for page in [recap, *recap["pages"]]}
        pages = [ids[page.name] for page in self.recaps]
        stat = session["stat_file"]["id"]
        cells = corrections_of(self.spoiled, stat=stat, recap=pages)["cells"]
        # The text that a cell had before may be one of those that nobody can read: the pair has some of its own.
        return {
            "cells": [
                one | {"sheet": SHEET}
                for one in cells
                if objection(COLUMNS["stat" if one["file"] == stat else "recap"][one["field"]], one["value"]) is None
            ]
        }


if __name__ == "__main__":
    raise SystemExit(run(CorrectionMeasurement, sys.argv[1]))
