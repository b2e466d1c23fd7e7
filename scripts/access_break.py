"""The walls between countries and roles, found by looking at the code, and what it is to take one down in memory."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

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
class Break:
    """One wall. `name` is the same in every process; `take_down` holds for the life of the process."""

    name: str
    take_down: Callable[[], None]


def breaks() -> dict[str, Break]:
    """Every wall by its name. Django must be set up.

    `scope:`      the filter of one model's `visible_to`;
    `narrower:`   an override of `within_country`;
    `permission:` a permission class of the API, which then holds for every account;
    `rule:`       a public rule of file_handling.permissions, which then says yes;
    `uncalled:`   one call of a role method, in a module that has any of the above, that lost its parentheses.
    """
    found = [*_scopes(), *_narrower(), *_permissions(), *_rules(), *_uncalled()]
    return {one.name: one for one in found}


def _querysets() -> dict[Any, type]:
    from django.apps import apps

    sets = {model: type(model._default_manager.all()) for model in apps.get_models()}
    return {model: rows for model, rows in sets.items() if hasattr(rows, "visible_to")}


def _owner(cls: type, name: str) -> type:
    return next(one for one in cls.__mro__ if name in vars(one))


def _scopes() -> Iterator[Break]:
    from users.scoping import ScopedQuerySet

    for model, rows in _querysets().items():
        owner = _owner(rows, "visible_to")
        yield Break(f"scope:{model._meta.label}", _without_filter(owner, model, by_country=owner is ScopedQuerySet))


def _without_filter(owner: type, model: Any, *, by_country: bool) -> Callable[[], None]:
    def take_down() -> None:
        whole = vars(owner)["visible_to"]

        def visible_to(rows: Any, user: Any) -> Any:
            if rows.model is not model:
                return whole(rows, user)
            if not by_country:
                return rows.all()
            # The country alone goes: what else the rule asks of an account stays, so that less gives it away.
            if not user.is_active or user.sees_all_countries() or user.working_country_id() is None:
                return whole(rows, user)
            return rows.within_country(user)

        owner.visible_to = visible_to  # type: ignore[attr-defined]

    return take_down


def _narrower() -> Iterator[Break]:
    from users.scoping import ScopedQuerySet

    owners = {_owner(rows, "within_country") for rows in _querysets().values() if issubclass(rows, ScopedQuerySet)}
    for owner in sorted(owners - {ScopedQuerySet}, key=lambda one: one.__qualname__):
        yield Break(
            f"narrower:{owner.__module__}.{owner.__qualname__}",
            _replaced(owner, "within_country", lambda rows, _user: rows),
        )


def _replaced(place: Any, name: str, by: Any) -> Callable[[], None]:
    return lambda: setattr(place, name, by)


def _permissions() -> Iterator[Break]:
    from users import permissions

    for name, cls in inspect.getmembers(permissions, inspect.isclass):
        if cls.__module__ == permissions.__name__ and not name.startswith("_"):
            yield Break(f"permission:{name}", _replaced(cls, "holds_for", lambda _self, _user: True))


def _rules() -> Iterator[Break]:
    from file_handling import permissions as rules

    for name, function in inspect.getmembers(rules, inspect.isfunction):
        if function.__module__ == rules.__name__ and not name.startswith("_"):
            yield Break(f"rule:{name}", _replaced(rules, name, lambda **_named: True))


def _uncalled() -> Iterator[Break]:
    from file_handling import permissions as rules
    from users import permissions

    modules = {rules, permissions}
    for rows in _querysets().values():
        for name in ("visible_to", "within_country"):
            if hasattr(rows, name):
                module = inspect.getmodule(_owner(rows, name))
                if module is not None:
                    modules.add(module)
    for module in sorted(modules, key=lambda one: one.__name__):
        for function in _functions(module):
            for number in range(len(_role_calls(_tree(function)))):
                name = f"uncalled:{module.__name__}.{function.__qualname__}:{number + 1}"
                yield Break(name, _without_parentheses(function, number))


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """The functions of a module and the methods of its classes."""
    for holder in [module, *(one for _name, one in inspect.getmembers(module, inspect.isclass))]:
        for one in vars(holder).values():
            if (
                getattr(holder, "__module__", module.__name__) == module.__name__
                and inspect.isfunction(one)
                and one.__module__ == module.__name__
                and "<" not in one.__qualname__
            ):
                yield one


def _tree(function: FunctionType) -> ast.Module:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except OSError:
        # Made while running, as enumerations do: no source, so no call that somebody wrote.
        return ast.Module(body=[], type_ignores=[])


def _role_calls(tree: ast.AST) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ROLE_METHODS
    ]


def _without_parentheses(function: FunctionType, number: int) -> Callable[[], None]:
    def take_down() -> None:
        tree = _tree(function)
        target = _role_calls(tree)[number]

        class Drop(ast.NodeTransformer):
            def visit_Call(self, node: ast.Call) -> ast.AST:
                return node.func if node is target else self.generic_visit(node)

        changed = ast.fix_missing_locations(Drop().visit(tree))
        namespace = dict(function.__globals__)
        exec(compile(changed, f"<{function.__qualname__}>", "exec"), namespace)  # noqa: S102
        function.__code__ = namespace[function.__name__].__code__

    return take_down
