"""Files in a container of Azure Blob Storage."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import Any

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient, ExponentialRetry
from django.conf import settings
from django.core.files import File
from storages.backends.azure_storage import AzureStorage

from common.cloud_storage.base import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    MEMORY_BYTES,
    RETRIES,
    CloudStorage,
    failure_of_status,
)
from common.errors import StorageRefused, StorageUnavailable


class Azure(CloudStorage, AzureStorage):
    """`account_url`: the address of the account. Without a key: the identity of the machine."""

    errors = (AzureError,)

    def __init__(self, *, account_url: str, account_name: str, container: str, account_key: str = "") -> None:
        super().__init__(
            account_name=account_name,
            account_key=account_key,
            azure_container=container,
            overwrite_files=False,
            max_memory_size=MEMORY_BYTES,
            timeout=ANSWER_SECONDS,
        )
        self._account_url = account_url

    def _get_service_client(self) -> BlobServiceClient:
        credential: Any = (
            {"account_name": self.account_name, "account_key": self.account_key}
            if self.account_key
            else DefaultAzureCredential()
        )
        return BlobServiceClient(
            self._account_url,
            credential=credential,
            retry_policy=ExponentialRetry(
                initial_backoff=0, increment_base=1, random_jitter_range=1, retry_total=RETRIES
            ),
            connection_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
        )

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        # The file of django-storages does not close its temporary file when the download breaks.
        with self._translated():
            content = SpooledTemporaryFile(max_size=MEMORY_BYTES, dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115
            try:
                self.client.download_blob(self._get_valid_path(name), timeout=self.timeout).readinto(content)
                content.seek(0)
            except BaseException:
                content.close()
                raise
            return File(content, name)

    def failure(self, error: Exception) -> OSError:
        if isinstance(error, ResourceNotFoundError) and getattr(error, "error_code", "") == "BlobNotFound":
            return FileNotFoundError("no such object")
        if isinstance(error, ClientAuthenticationError):
            return StorageRefused()
        if isinstance(error, HttpResponseError) and error.status_code:
            return failure_of_status(int(error.status_code))
        return StorageUnavailable()
