from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailing", "0001_initial")]

    operations = [
        migrations.RenameModel("Circuit", "ServerGate"),
        migrations.AddField("ownergate", "second_at", models.DateTimeField(null=True)),
        migrations.AddField("ownergate", "second_used", models.PositiveIntegerField(db_default=0, default=0)),
        migrations.AddField("ownergate", "day", models.DateField(null=True)),
        migrations.AddField("ownergate", "day_used", models.PositiveIntegerField(db_default=0, default=0)),
        migrations.AddField("servergate", "second_at", models.DateTimeField(null=True)),
        migrations.AddField("servergate", "second_used", models.PositiveIntegerField(db_default=0, default=0)),
        migrations.AddField("servergate", "day", models.DateField(null=True)),
        migrations.AddField("servergate", "day_used", models.PositiveIntegerField(db_default=0, default=0)),
        migrations.AlterField(
            "ownergate", "revision", models.BigIntegerField(db_default=0, default=0)
        ),
        migrations.AlterField(
            "suppression",
            "reason",
            models.CharField(
                choices=[
                    ("unsubscribed", "unsubscribed"),
                    ("bounced", "the address takes no mail"),
                ],
                max_length=20,
                verbose_name="reason",
            ),
        ),
    ]
