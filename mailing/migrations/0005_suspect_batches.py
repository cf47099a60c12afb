from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailing", "0004_server_alert")]

    operations = [
        migrations.AddField(
            "batch", "is_suspect", models.BooleanField(db_default=False, default=False)
        ),
    ]
