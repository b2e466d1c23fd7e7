from django.db import migrations

from common.append_only_tables import KeepAsWritten


class Migration(migrations.Migration):
    dependencies = [("core", "0004_words")]

    operations = [KeepAsWritten("ClaimRevision")]
