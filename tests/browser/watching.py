"""What goes wrong in a page while a test uses it: every such thing fails the test."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

# A page that is left gives up its requests; a download never becomes a page.
_GIVEN_UP = ("net::ERR_ABORTED", "NS_BINDING_ABORTED")
_REPORT = """
document.addEventListener('securitypolicyviolation', event => {
    const place = `${event.sourceFile ?? ''}:${event.lineNumber}`;
    window.reportViolation(`${event.effectiveDirective} ${event.blockedURI} ${place}`);
});
"""


@dataclass
class Watch:
    """Problems of all pages of a context. `allowed`: patterns of those that a test provokes."""

    problems: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def allow(self, *patterns: str) -> None:
        self.allowed += patterns

    def found(self) -> list[str]:
        return [each for each in self.problems if not any(re.search(pattern, each) for pattern in self.allowed)]

    def attach(self, context: BrowserContext) -> None:
        context.expose_binding("reportViolation", lambda _source, text: self.problems.append(f"policy: {text}"))
        context.add_init_script(_REPORT)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.problems.append(f"script: {error.error}"))
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)
        context.on("page", self._page)

    def _page(self, page: Page) -> None:
        page.on("crash", lambda _page: self.problems.append("crash"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text} {message.location.get('url', '')}")

    def _failed(self, request: Request) -> None:
        if request.failure not in _GIVEN_UP:
            self.problems.append(f"request: {request.method} {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"answer: {response.status} {response.request.method} {response.url}")
