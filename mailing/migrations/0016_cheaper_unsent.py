from django.db import migrations, models


class Migration(migrations.Migration):
    """The same letters are in the index; SQLite finds out sooner for each that it records."""

    dependencies = [("mailing", "0015_codes_of_attempts")]

    operations = [
        migrations.RemoveIndex(model_name="delivery", name="delivery_unsent"),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(
                    ~models.Q(("state", "sent")),
                    ~models.Q(("state", "pending")),
                    ~models.Q(("state", "suppressed")),
                ),
                fields=["run", "state"],
                name="delivery_unsent",
            ),
        ),
    ]
