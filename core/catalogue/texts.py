"""What a change of the catalogue did, as people read it: for its pages, the history and the export."""

from django.utils.translation import gettext as _

from core.models import Change, ChangeKind


def sentence_of(change: Change) -> str:
    """What a change did, as a sentence with the names of that time."""
    data = change.data
    name = data.get("name", "")
    match change.kind:
        case ChangeKind.ACT_RENAME | ChangeKind.CATEGORY_RENAME:
            return _("“%(before)s” is called “%(after)s” now.") % {"before": data["before"], "after": data["after"]}
        case ChangeKind.ACT_ALIAS_ADD | ChangeKind.CATEGORY_ALIAS_ADD:
            return _("“%(alias)s” is an alias of “%(name)s”.") % {"alias": data.get("alias", ""), "name": name}
        case ChangeKind.ACT_ALIAS_REMOVE | ChangeKind.CATEGORY_ALIAS_REMOVE:
            return _("“%(alias)s” is no longer an alias of “%(name)s”.") % {
                "alias": data.get("alias", ""), "name": name
            }  # fmt: skip
        case ChangeKind.ACT_CATEGORY:
            names = {"name": name, "before": data["before"]["name"], "after": data["after"]["name"]}
            return _("“%(name)s” went from the category “%(before)s” to “%(after)s”.") % names
    absorbed = _(", ").join(_("“%(name)s”") % {"name": one["name"]} for one in data.get("absorbed", ()))
    return _("%(absorbed)s became “%(name)s”.") % {"absorbed": absorbed, "name": name}
