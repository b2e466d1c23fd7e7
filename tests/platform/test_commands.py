"""The commands of `manage.py`, as a person calls them."""

import pytest
from django.conf import settings
from django.core.management import call_command, get_commands
from django.utils import translation

OWN_COMMANDS = sorted(
    name for name, app in get_commands().items() if (settings.BASE_DIR / app.replace(".", "/") / "management").is_dir()
)


def test_the_project_has_commands() -> None:
    assert {"make_pair", "sweep"} <= set(OWN_COMMANDS)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", OWN_COMMANDS)
def test_every_command_explains_itself(name: str, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    with translation.override(language), pytest.raises(SystemExit) as ended:
        call_command(name, "--help")
    assert ended.value.code == 0
    usage, _, rest = capsys.readouterr().out.partition("[-h]")
    assert usage.split() == ["usage:", name]
    assert len(rest) > 100
