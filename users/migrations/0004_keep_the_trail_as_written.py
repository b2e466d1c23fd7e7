from django.db import migrations

from common.append_only_tables import KeepAsWritten


class Migration(migrations.Migration):
    dependencies = [("users", "0003_letter_to_the_old_address")]

    operations = [KeepAsWritten("AuditEntry")]
