"""`make access`: applies each mutant in turn; does a test fail?

First all tests run without a mutant and must pass. Then one line is printed for each mutant: caught and by which test,
or missed. The last line is one JSON object. The exit status is 0 when nothing leaks and every mutant was caught.
"""

import argparse
import contextlib
import json
import os
import sys

import django

from scripts.mutations.run import outcomes

# Tests that look for the mark of one country in the answers to the accounts of another.
CANARIES = ("no_byte_of_one_country", "a_filter_on_a_foreign", "test_canaries.py")


def mutants_and_sizes() -> tuple[list[str], int, int]:
    """Names of all mutants; number of routes (addresses) and of cases (address, method, account) in the tests."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings_test"
    django.setup()
    # These import models, so Django must be set up.
    from scripts.mutations.mutants import mutants
    from tests.support import page_routes, pages, routes

    tables = [routes.TABLE, pages.TABLE]
    # Of a page, the tables name the accounts that it opens for: all others, and visitors without one, are cases, too.
    opened = [page_routes.GETS, page_routes.POSTS]
    page_cases = sum(len(table) for table in opened) * (len(page_routes.EVERYONE) + 1)
    addresses = len({*page_routes.GETS, *page_routes.POSTS}) + sum(
        len({path for _method, path in table}) for table in tables
    )
    return (
        list(mutants()),
        addresses,
        page_cases + sum(len(accounts) for table in tables for accounts in table.values()),
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make access", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="TEXT,…", help="mutants whose name contains one of these texts")
    parser.add_argument("--list", action="store_true", help="print the names of the mutants and end")
    arguments = parser.parse_args()
    names, routes, cases = mutants_and_sizes()
    names = [name for name in names if any(text in name for text in arguments.only.split(","))]
    if arguments.list:
        print("\n".join(names))
        return 0

    applied = caught = 0
    with contextlib.closing(outcomes(names=["", *names])) as results:
        whole = next(results)
        leaks = sum(any(canary in test for canary in CANARIES) for test in whole.failed)
        print(f"{routes} routes, {cases} cases, {len(whole.failed)} failed, {leaks} leaks", *whole.failed, sep="\n")
        # A test that fails without a mutant would count as catching every mutant.
        if not whole.failed:
            for outcome in results:
                applied += 1
                caught += bool(outcome.failed)
                verdict = "caught" if outcome.failed else "MISSED"
                test = outcome.failed[0].removeprefix("tests/") if outcome.failed else ""
                print(verdict, f"{outcome.seconds:5.1f} s ", f"{outcome.name:<75} {test}".rstrip(), flush=True)
    counts = {"routes": routes, "cases": cases, "leaks": leaks, "filters_removed": applied, "filters_caught": caught}
    print(json.dumps(counts))
    return 0 if applied == caught and not whole.failed else 1


if __name__ == "__main__":
    sys.exit(main())
