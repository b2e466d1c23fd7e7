"""Files on Amazon S3, or on a server that is compatible with it."""

from __future__ import annotations

from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
    TokenRetrievalError,
)
from storages.backends.s3 import S3Storage

from common.cloud_storage.base import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    MEMORY_BYTES,
    RETRIES,
    CloudStorage,
    failure_of_status,
)
from common.errors import StorageRefused, StorageUnavailable


class S3(CloudStorage, S3Storage):
    """`endpoint_url`: of a compatible server; without it, Amazon. Without a key: the credentials of the machine."""

    errors = (ClientError, BotoCoreError, Boto3Error)

    def __init__(self, *, bucket_name: str, endpoint_url: str = "", **settings: Any) -> None:
        if endpoint_url:
            settings["endpoint_url"] = endpoint_url
        super().__init__(
            bucket_name=bucket_name,
            default_acl=None,
            file_overwrite=False,
            max_memory_size=MEMORY_BYTES,
            client_config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=ANSWER_SECONDS,
                retries={"mode": "standard", "total_max_attempts": RETRIES + 1},
                signature_version="s3v4",
                s3={"addressing_style": "path"} if endpoint_url else {},
            ),
            **settings,
        )

    def failure(self, error: Exception) -> OSError:
        if isinstance(error, ClientError):
            return failure_of_status(int(error.response["ResponseMetadata"]["HTTPStatusCode"]))
        if isinstance(error, NoCredentialsError | PartialCredentialsError | TokenRetrievalError):
            return StorageRefused()
        return StorageUnavailable()
