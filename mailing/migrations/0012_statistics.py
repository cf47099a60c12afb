import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_CAUSE_CHOICES = [
    (1, "The mailbox does not exist"),
    (2, "The mailbox is switched off"),
    (3, "The mailbox is full"),
    (4, "Refused by the server’s rules"),
    (5, "The letter itself was refused"),
    (6, "The server asked to come back later"),
    (7, "No answer after the whole letter"),
    (8, "The letter could not be composed"),
    (9, "Refused without a clear reason"),
]
_OUTCOMES = [
    ("accepted", "Accepted"),
    ("transient", "Refused for now"),
    ("permanent", "Refused"),
    ("unknown", "Unknown"),
]
_OWNERS = """
    UPDATE mailing_attempt SET owner_id = (
        SELECT m.owner_id FROM mailing_delivery d
          JOIN mailing_run r ON r.id = d.run_id JOIN mailing_mailing m ON m.id = r.mailing_id
         WHERE d.id = mailing_attempt.delivery_id)
"""
# What `classify.cause_of` says of them.
_CAUSES = """
    UPDATE mailing_attempt SET cause = CASE
        WHEN stage = 'render' THEN 8
        WHEN outcome = 'unknown' THEN 7
        WHEN substr(enhanced, 3) IN ('1.0', '1.1', '1.2', '1.3', '1.6', '1.10') THEN 1
        WHEN substr(enhanced, 3) = '2.1' THEN 2
        WHEN substr(enhanced, 3) = '2.2' THEN 3
        WHEN substr(enhanced, 3) IN ('2.3', '3.4') THEN 5
        WHEN enhanced = '' AND code IN (452, 552) THEN 3
        WHEN outcome = 'transient' THEN 6
        WHEN enhanced LIKE '5.6.%' THEN 5
        WHEN enhanced LIKE '5.7.%' THEN 4
        ELSE 9 END
     WHERE outcome <> 'accepted'
"""
_COUNTS = """
    INSERT INTO mailing_hourlycount
           (owner_id, mailing_id, hour, outcome, cause, n, first_id, last_id, folded)
    SELECT a.owner_id, r.mailing_id, {hour}, a.outcome, coalesce(a.cause, 0), count(*), min(a.id),
           max(a.id), TRUE
      FROM mailing_attempt a
      JOIN mailing_delivery d ON d.id = a.delivery_id JOIN mailing_run r ON r.id = d.run_id
     GROUP BY 1, 2, 3, 4, 5
"""
# Those who are still there, by the day after they came.
_CLIENTS = """
    INSERT INTO mailing_dailygrowth (owner_id, day, change)
    SELECT owner_id, {tomorrow}, count(*) FROM mailing_client WHERE {tomorrow} <= {today}
     GROUP BY 1, 2
"""


COUNTS = {
    "sqlite": (
        _COUNTS.format(hour="CAST(strftime('%s', a.at) AS INTEGER) / 3600"),
        _CLIENTS.format(today="date('now')", tomorrow="date(created_at, '+1 day')"),
    ),
    "postgresql": (
        _COUNTS.format(hour="floor(extract(epoch FROM a.at) / 3600)::int"),
        _CLIENTS.format(
            today="(now() AT TIME ZONE 'UTC')::date",
            tomorrow="(created_at AT TIME ZONE 'UTC')::date + 1",
        ),
    ),
}


def statements(vendor):
    return [_OWNERS, _CAUSES, *COUNTS[vendor]]


def fill(apps, schema_editor):
    for statement in statements(schema_editor.connection.vendor):
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ("mailing", "0011_client_changes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="cause",
            field=models.PositiveSmallIntegerField(
                choices=_CAUSE_CHOICES, null=True, verbose_name="cause"
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="owner",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="owner",
            ),
        ),
        migrations.CreateModel(
            name="HourlyCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.IntegerField()),
                ("outcome", models.CharField(choices=_OUTCOMES, max_length=10)),
                ("cause", models.PositiveSmallIntegerField(choices=[(0, "—"), *_CAUSE_CHOICES])),
                ("n", models.IntegerField()),
                ("first_id", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                ("folded", models.BooleanField(db_default=False, default=False)),
                (
                    "mailing",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="mailing.mailing",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["owner", "hour"], name="hourly_count_of_owner"),
                    models.Index(fields=["hour"], name="hourly_count_of_all"),
                    models.Index(
                        condition=models.Q(("folded", False)),
                        fields=["id"],
                        name="hourly_count_loose",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("folded", True)),
                        fields=("mailing", "hour", "outcome", "cause"),
                        name="hourly_count_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DailyGrowth",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("change", models.IntegerField()),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["day"], name="daily_growth_of_all")],
                "constraints": [
                    models.UniqueConstraint(fields=("owner", "day"), name="daily_growth_once")
                ],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
