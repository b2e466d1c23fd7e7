"""What a service function refuses, as messages of the next page: for the pages and for the admin."""

from collections.abc import Callable

from django.contrib import messages
from django.db import OperationalError
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from common.errors import Gone, Invalid, ServiceError, is_disk_full


def carry_out(request: HttpRequest, change: Callable[[], object], *, about: str = "") -> bool:
    """Call a service function; → whether it succeeded. A refusal is shown as `show_refusal` does."""
    try:
        change()
    except (ServiceError, OSError, OperationalError) as error:
        show_refusal(request, error, about=about)
        return False
    return True


def show_refusal(request: HttpRequest, error: Exception, *, about: str = "") -> None:
    """Show why a service function refused (`common.errors`), or a full disk, as messages of the next page.

    `about`: the name of the object, where several are changed at once. Raises Http404 for an object that was deleted
    meanwhile, and any other error again.
    """
    if isinstance(error, Gone):
        raise Http404 from error
    if isinstance(error, Invalid):
        sentences = error.sentences()
    elif isinstance(error, ServiceError):
        sentences = [str(error) or _("This can no longer be done")]
    elif is_disk_full(error):
        sentences = [_("The server has no room left to store this. Nothing was kept; try again later.")]
    else:
        raise error
    for sentence in sentences:
        text = _("%(field)s: %(reason)s") % {"field": about, "reason": sentence} if about else sentence
        messages.error(request, text)
