from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailing", "0003_deleted_mailings_let_go")]

    operations = [
        migrations.AddField(
            "servergate", "alerted", models.BooleanField(db_default=False, default=False)
        ),
    ]
