"""Files on Google Cloud Storage."""

from __future__ import annotations

from typing import Any

import google.auth
from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.requests import AuthorizedSession
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.oauth2.service_account import Credentials as ServiceAccount
from requests import RequestException, Response
from requests.adapters import HTTPAdapter
from storages.backends.gcloud import GoogleCloudStorage
from urllib3.util import Retry

from common.cloud_storage.base import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    MEMORY_BYTES,
    PASSING_STATUSES,
    RETRIES,
    CloudStorage,
    failure_of_status,
)
from common.errors import StorageFailure, StorageRefused, StorageUnavailable

SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"


class Session(AuthorizedSession):
    """Requests with a token of the credentials, sent again RETRIES times.

    The library itself would repeat a request for two minutes, which is longer than a person waits. It does not repeat
    one that ends in StorageUnavailable.
    """

    def __init__(self, credentials: Credentials) -> None:
        super().__init__(credentials)  # type: ignore[no-untyped-call]
        retries = Retry(
            total=RETRIES,
            backoff_factor=0.5,
            status_forcelist=PASSING_STATUSES,
            allowed_methods=None,
            raise_on_status=False,
        )
        self.mount("https://", HTTPAdapter(max_retries=retries))
        self.mount("http://", HTTPAdapter(max_retries=retries))

    def request(self, *args: Any, **options: Any) -> Response:
        options["timeout"] = (CONNECT_SECONDS, ANSWER_SECONDS)
        try:
            response: Response = super().request(*args, **options)  # type: ignore[no-untyped-call]
        except RequestException as error:
            raise StorageUnavailable from error
        except GoogleAuthError as error:
            raise _failure_to_sign_in(error) from error
        if response.status_code in PASSING_STATUSES:
            raise StorageUnavailable
        return response


class Google(CloudStorage, GoogleCloudStorage):
    """`key_file`: the key of a service account; without it, the credentials of the machine. `endpoint_url`: of another
    server than Google's."""

    _client: Client | None
    errors = (GoogleAPIError, GoogleAuthError, InvalidResponse, DataCorruption, RequestException)

    def __init__(self, *, bucket_name: str, key_file: str = "", endpoint_url: str = "") -> None:
        super().__init__(bucket_name=bucket_name, file_overwrite=False, max_memory_size=MEMORY_BYTES)
        self._key_file, self._endpoint_url = key_file, endpoint_url

    @property
    def client(self) -> Client:
        if self._client is None:
            credentials = self._find_credentials()
            self._client = Client(
                # Named because the library looks for one; no request about objects contains it.
                project="none",
                credentials=credentials,
                _http=Session(credentials),
                client_options={"api_endpoint": self._endpoint_url} if self._endpoint_url else None,
            )
        return self._client

    def _find_credentials(self) -> Credentials:
        """Raises StorageRefused where the key file cannot be read, GoogleAuthError where the machine has none."""
        if not self._key_file:
            return google.auth.default(scopes=[SCOPE])[0]
        try:
            key: Credentials = ServiceAccount.from_service_account_file(  # type: ignore[no-untyped-call]
                self._key_file, scopes=[SCOPE]
            )
        except (OSError, ValueError) as error:
            raise StorageRefused from error
        return key

    def failure(self, error: Exception) -> OSError:
        if isinstance(error, GoogleAPICallError) and error.code:
            return failure_of_status(int(error.code))
        if isinstance(error, InvalidResponse):
            return failure_of_status(int(error.response.status_code))
        if isinstance(error, GoogleAuthError):
            return _failure_to_sign_in(error)
        return StorageUnavailable()


def _failure_to_sign_in(error: GoogleAuthError) -> StorageFailure:
    is_passing = isinstance(error, TransportError) or error.retryable
    return StorageUnavailable() if is_passing else StorageRefused()
