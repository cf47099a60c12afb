import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """After the rows are filled: PostgreSQL alters no table that has changed in its transaction."""

    dependencies = [("mailing", "0012_statistics")]

    operations = [
        migrations.CreateModel(
            name="RunTally",
            fields=[
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="mailing.run",
                    ),
                ),
                ("states", models.JSONField()),
                ("counted_at", models.DateTimeField()),
            ],
        ),
        migrations.AlterField(
            model_name="attempt",
            name="owner",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="owner",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(fields=["owner", "id"], name="attempt_of_owner"),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("cause__isnull", False)),
                fields=["owner", "id", "outcome", "cause"],
                name="attempt_refused_of_owner",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("cause__isnull", False)),
                fields=["id", "outcome", "cause"],
                name="attempt_refused",
            ),
        ),
    ]
