from django.db import migrations

from common.append_only_tables import KeepAsWritten


class Migration(migrations.Migration):
    dependencies = [("file_handling", "0003_words")]

    operations = [KeepAsWritten("SessionEvent", goes_with_its_owner=True)]
