"""The OpenAPI description, with every error response of each operation."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework.permissions import AllowAny

from users.serializers import DetailSerializer

_DENIED = {"401": "Not signed in, or the token has expired", "403": "Access denied"}
_NONE = "The object or the page does not exist"
_NOT_UNDERSTOOD = "A value is invalid; the reasons are listed by field or parameter"
_TOO_LARGE = "The request is too large"
_WRONG_TYPE = "The content type of the body is not supported"
_TOO_OFTEN = "Too many requests of this kind; `Retry-After` has the seconds to wait"

# The body of a 400: one sentence, a list of errors, or reasons by parameter or field.
_PROBLEM = {
    "type": "object",
    "description": "The reason of a refusal.",
    "properties": {
        "detail": {"type": "string", "description": "One sentence, where there is one"},
        "errors": {"type": "array", "items": {"type": "object", "additionalProperties": {}}},
    },
    "additionalProperties": {},
}


class Schema(AutoSchema):
    """drf-spectacular's schema, with the error responses that follow from parameters, body and permissions."""

    def get_operation(self, path: Any, path_regex: Any, path_prefix: Any, method: Any, registry: Any) -> Any:
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is not None:
            for code, response in self._refusals(operation).items():
                operation["responses"].setdefault(code, response)
        return operation

    def _refusals(self, operation: dict[str, Any]) -> dict[str, Any]:
        refusals: dict[str, Any] = {}
        places = {parameter["in"] for parameter in operation.get("parameters", [])}
        names = {parameter["name"] for parameter in operation.get("parameters", [])}
        if "requestBody" in operation or "query" in places:
            refusals["400"] = self._refusal(_NOT_UNDERSTOOD, self._problem())
        if not any(isinstance(permission, AllowAny) for permission in self.view.get_permissions()):
            refusals |= {code: self._refusal(words) for code, words in _DENIED.items()}
        if "path" in places or "page" in names:
            refusals["404"] = self._refusal(_NONE)
        if "requestBody" in operation:
            refusals["413"] = self._refusal(_TOO_LARGE)
            refusals["415"] = self._refusal(_WRONG_TYPE)
        if self.view.get_throttles():
            refusals["429"] = self._refusal(_TOO_OFTEN)
        return refusals

    def _refusal(self, description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
        if schema is None:
            schema = self.resolve_serializer(DetailSerializer, "response").ref
        return {"description": description, "content": {"application/json": {"schema": schema}}}

    def _problem(self) -> dict[str, Any]:
        component = ResolvedComponent(
            name="Problem", type=ResolvedComponent.SCHEMA, schema=_PROBLEM, object="users.access.schema.Problem"
        )
        self.registry.register_on_missing(component)
        ref: dict[str, Any] = component.ref
        return ref
