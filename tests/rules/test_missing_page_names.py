"""DOMAIN §13, missing pages: which page is missing among the names of recap pages."""

from __future__ import annotations

import pytest

from importer.pipeline.page_names import missing_pages


def numbered(text: str, numbers: list[int]) -> list[str]:
    return [text.format(number) for number in numbers]


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (numbered("recap_{:02d}.xlsx", [1, 2, 4]), ["recap_03.xlsx"]),
        (numbered("recap_{}.xlsx", [1, 2, 3, 5, 6, 7, 8, 9, 10]), ["recap_4.xlsx"]),
        (numbered("Récap {:02d}.csv", [7, 8, 9, 11, 12]), ["Récap 10.csv"]),
        (numbered("page {:03d} Togo.xls", [1, 4, 5, 6]), ["page 002 Togo.xls", "page 003 Togo.xls"]),
        # The extension is no part of the series, nor is the case of a letter.
        (["recap_01.xlsx", "RECAP_02.CSV", "recap_04.xls"], ["RECAP_03.CSV"]),
        # The name says how many pages there are: the first and the last can be missing too.
        (
            numbered("page {:02d} sur 12.xlsx", [*range(2, 8), *range(9, 12)]),
            numbered("page {:02d} sur 12.xlsx", [1, 8, 12]),
        ),
        (["recap p3 of 4.xlsx"], ["recap p1 of 4.xlsx", "recap p2 of 4.xlsx", "recap p4 of 4.xlsx"]),
        # A constant number beside it, a year before other words, a page number after a year that is no month.
        (numbered("RECAP-2024-01 page {}.csv", [1, 2, 4]), ["RECAP-2024-01 page 3.csv"]),
        (numbered("recap_2024_{:02d}.csv", [*range(1, 9), *range(10, 21)]), ["recap_2024_09.csv"]),
        (numbered("recap_2024_{:03d}.csv", [1, 2, 4]), ["recap_2024_003.csv"]),
        # The number of a copy is none of a page, unless nothing else differs.
        (["recap_01 (2).csv", "recap_02.csv", "recap_04 - Copie.csv"], ["recap_03.csv"]),
        (numbered("recap ({}).csv", [1, 2, 4]), ["recap (3).csv"]),
        (["recap.csv", "recap (1).csv", "recap (2).csv", "recap (4).csv"], ["recap (3).csv"]),
        # The same page twice.
        (["recap_01.csv", "recap_01.xlsx", "recap_02.csv", "recap_04.csv"], ["recap_03.csv"]),
    ],
)  # fmt: skip
def test_a_number_that_is_missing_is_named(names: list[str], missing: list[str]) -> None:
    assert missing_pages(names) == [missing]
    assert missing_pages(reversed(names)) == [missing]


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["recap.xlsx"],
        ["recap_07.xlsx"],
        ["recap page 3 de 2024.xlsx"],
        ["lome.csv", "kara.csv", "sokode.csv"],
        numbered("recap_{}.xlsx", list(range(1, 11))),
        numbered("recap_{:02d}.xlsx", [5, 6, 7]),
        numbered("page {:02d} sur 12.xlsx", list(range(1, 13))),
        # Another text is another series.
        ["page 1 Lomé.xlsx", "page 2 Kara.xlsx", "page 4 Sokodé.xlsx"],
        # Two numbers vary: which of them counts?
        ["recap_2023_12_p1.csv", "recap_2024_01_p1.csv", "recap_2024_01_p3.csv"],
        ["lot 1 page 1.csv", "lot 1 page 2.csv", "lot 2 page 4.csv"],
        # Numbers most of which are absent, or that are too long.
        ["recap_12.xlsx", "recap_87.xlsx"],
        ["export 4711.csv", "export 4712.csv", "export 4714.csv"],
        # Dates. A month without a page is found by its settlement dates.
        numbered("RECAP-2024-{:02d}.csv", [1, 2, 4]),
        ["RECAP-2024-01 (2).csv", "RECAP-2024-02.csv", "RECAP-2024-04.csv"],
        numbered("recap {:02d}-2024.csv", [1, 2, 4]),
        numbered("recap_202401{:02d}.csv", [5, 8, 9]),
        numbered("recap {:02d}.01.2024.csv", [5, 8, 9]),
        numbered("recap 2024_01_{:02d}.csv", [29, 30, 27]),
        numbered("recap {:02d}-03.csv", [5, 6, 8]),
        numbered("recap {} mars.csv", [5, 6, 8]),
        numbered("recap du {} février 2024.csv", [5, 6, 8]),
        numbered("recap March {} 2024.csv", [12, 13, 15]),
        numbered("recap {}.xlsx", [2019, 2020, 2022]),
    ],
)
def test_nothing_is_said_where_nothing_is_missing_or_no_number_counts_the_pages(names: list[str]) -> None:
    assert missing_pages(names) == []


def test_each_series_of_names_is_looked_at_by_itself() -> None:
    names = numbered("lome_{}.csv", [1, 2, 4]) + numbered("kara_{}.csv", [1, 2, 3]) + ["autre.csv"]
    assert missing_pages(names) == [["lome_3.csv"]]
