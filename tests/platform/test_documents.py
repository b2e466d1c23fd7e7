"""The documents of the repository lead to files that are there."""

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def test_every_link_and_picture_of_the_documents_is_a_file_of_the_repository() -> None:
    found = [(document, target) for document in DOCUMENTS for target in LINK.findall(document.read_text())]
    assert len(found) > 20
    missing = [
        f"{document.relative_to(ROOT)}: {target}"
        for document, target in found
        if not (document.parent / target).exists()
    ]
    assert missing == []
