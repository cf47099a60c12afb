from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailing", "0006_schedules")]

    operations = [
        migrations.AddField("run", "missed_since", models.DateTimeField(editable=False, null=True)),
        migrations.AddField(
            "run",
            "untold",
            models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddIndex(
            "run",
            models.Index(
                fields=["mailing"], name="run_untold", condition=models.Q(untold=True)
            ),
        ),
    ]
