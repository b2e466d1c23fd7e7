"""The access checks between countries and roles: finds them in the code and disables one in memory.

Imports models, so Django must be set up before.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from django.apps import apps

from file_handling import permissions as rules
from users import permissions
from users.access import pages
from users.scoping import ScopedQuerySet

ROLE_METHODS = frozenset(
    {
        "is_superuser_role",
        "is_admin_global",
        "is_admin_territorial",
        "is_chef_dept_tech",
        "is_responsable_operateur",
        "sees_all_countries",
    }
)


@dataclass(frozen=True)
class Mutant:
    """One disabled check. `name` is the same in every process; `apply` changes the code until the process ends."""

    name: str
    apply: Callable[[], None]


def mutants() -> dict[str, Mutant]:
    """Every mutant by its name.

    `scope:`      `visible_to` of one model does not filter by country (or at all, where it is the model's own);
    `narrower:`   an override of `within_country` returns all rows;
    `permission:` a permission class of the API holds for every account;
    `page:`       a page opens for every signed-in account;
    `rule:`       a public function of file_handling.permissions returns True;
    `uncalled:`   a call of a role method, in a module that has any of the above, has lost its parentheses.
    """
    found = [*_scopes(), *_narrower(), *_permissions(), *_pages(), *_rules(), *_uncalled()]
    return {mutant.name: mutant for mutant in found}


def _querysets() -> dict[Any, type]:
    sets = {model: type(model._default_manager.all()) for model in apps.get_models()}
    return {model: rows for model, rows in sets.items() if hasattr(rows, "visible_to")}


def _owner(cls: type, name: str) -> type:
    """The class that defines the attribute `name` of `cls`."""
    return next(ancestor for ancestor in cls.__mro__ if name in vars(ancestor))


def _scopes() -> Iterator[Mutant]:
    for model, rows in _querysets().items():
        owner = _owner(rows, "visible_to")
        yield Mutant(f"scope:{model._meta.label}", _without_filter(owner, model, by_country=owner is ScopedQuerySet))


def _without_filter(owner: type, model: Any, *, by_country: bool) -> Callable[[], None]:
    def apply() -> None:
        original = vars(owner)["visible_to"]

        def visible_to(rows: Any, user: Any) -> Any:
            if rows.model is not model:
                return original(rows, user)
            if not by_country:
                return rows.all()
            # Only the filter by country is removed: with the other conditions gone too, more tests would fail, and
            # fail more easily.
            if not user.is_active or user.sees_all_countries() or user.working_country_id() is None:
                return original(rows, user)
            return rows.within_country(user)

        owner.visible_to = visible_to  # type: ignore[attr-defined]

    return apply


def _narrower() -> Iterator[Mutant]:
    owners = {_owner(rows, "within_country") for rows in _querysets().values() if issubclass(rows, ScopedQuerySet)}
    for owner in sorted(owners - {ScopedQuerySet}, key=lambda owner: owner.__qualname__):
        yield Mutant(
            f"narrower:{owner.__module__}.{owner.__qualname__}",
            _replacing(owner, "within_country", lambda rows, _user: rows),
        )


def _replacing(holder: Any, name: str, by: Any) -> Callable[[], None]:
    return lambda: setattr(holder, name, by)


def _permissions() -> Iterator[Mutant]:
    for name, cls in inspect.getmembers(permissions, inspect.isclass):
        if cls.__module__ == permissions.__name__ and not name.startswith("_"):
            yield Mutant(f"permission:{name}", _replacing(cls, "holds_for", lambda _self, _user: True))


def _pages() -> Iterator[Mutant]:
    yield Mutant("page:holds", _replacing(pages, "holds", lambda _permission, _request: True))


def _rules() -> Iterator[Mutant]:
    for name, function in inspect.getmembers(rules, inspect.isfunction):
        if function.__module__ == rules.__name__ and not name.startswith("_"):
            yield Mutant(f"rule:{name}", _replacing(rules, name, lambda **_arguments: True))


def _uncalled() -> Iterator[Mutant]:
    modules = {rules, permissions}
    for rows in _querysets().values():
        for name in ("visible_to", "within_country"):
            if hasattr(rows, name):
                module = inspect.getmodule(_owner(rows, name))
                if module is not None:
                    modules.add(module)
    for module in sorted(modules, key=lambda module: module.__name__):
        for function in _functions(module):
            for number in range(len(_role_calls(_tree(function)))):
                name = f"uncalled:{module.__name__}.{function.__qualname__}:{number + 1}"
                yield Mutant(name, _without_parentheses(function, number))


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """The functions of a module and the methods of its classes."""
    classes = [cls for _name, cls in inspect.getmembers(module, inspect.isclass) if cls.__module__ == module.__name__]
    for holder in [module, *classes]:
        for member in vars(holder).values():
            # "<": lambdas and functions inside functions.
            if inspect.isfunction(member) and member.__module__ == module.__name__ and "<" not in member.__qualname__:
                yield member


def _tree(function: FunctionType) -> ast.Module:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except OSError:
        # Generated at run time (enumerations have such methods): no source, so no call to change.
        return ast.Module(body=[], type_ignores=[])


def _role_calls(tree: ast.AST) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ROLE_METHODS
    ]


def _without_parentheses(function: FunctionType, number: int) -> Callable[[], None]:
    def apply() -> None:
        tree = _tree(function)
        target = _role_calls(tree)[number]

        class DropParentheses(ast.NodeTransformer):
            def visit_Call(self, node: ast.Call) -> ast.AST:
                return node.func if node is target else self.generic_visit(node)

        changed = ast.fix_missing_locations(DropParentheses().visit(tree))
        namespace = dict(function.__globals__)
        exec(compile(changed, f"<{function.__qualname__}>", "exec"), namespace)  # noqa: S102
        function.__code__ = namespace[function.__name__].__code__

    return apply
