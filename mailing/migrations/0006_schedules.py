import mailing.models.mailing
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mailing', '0005_suspect_batches'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='dateperiod',
            name='date_period_once',
        ),
        migrations.AddField(
            model_name='dateperiod',
            name='month_day',
            field=models.CharField(choices=[('day', 'on the same day of the month'), ('last_day', 'on the last day of the month'), ('weekday', 'on the same weekday, such as the second Tuesday'), ('last_weekday', 'on the last such weekday of the month')], db_default='day', default='day', max_length=12, verbose_name='day of the month'),
        ),
        migrations.AddField(
            model_name='mailing',
            name='max_runs',
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='number of dates'),
        ),
        migrations.AddField(
            model_name='mailing',
            name='weekdays',
            field=models.PositiveSmallIntegerField(blank=True, db_default=0, default=0, verbose_name='weekdays'),
        ),
        migrations.AddField(
            model_name='mailing',
            name='window_from',
            field=models.TimeField(blank=True, null=True, verbose_name='letters leave from'),
        ),
        migrations.AddField(
            model_name='mailing',
            name='window_until',
            field=models.TimeField(blank=True, null=True, verbose_name='letters leave until'),
        ),
        migrations.AddField(
            model_name='run',
            name='sends_from',
            field=models.DateTimeField(null=True, verbose_name='letters leave from'),
        ),
        migrations.AddField(
            model_name='run',
            name='sends_until',
            field=models.DateTimeField(null=True, verbose_name='letters leave until'),
        ),
        migrations.AlterField(
            model_name='dateperiod',
            name='unit',
            field=models.CharField(choices=[('once', 'once'), ('minute', 'minutes'), ('hour', 'hours'), ('day', 'days'), ('week', 'weeks'), ('month', 'months'), ('year', 'years')], max_length=10, verbose_name='unit'),
        ),
        migrations.AlterField(
            model_name='mailing',
            name='starts_at',
            field=models.DateTimeField(validators=[mailing.models.mailing.refuse_seconds], verbose_name='start'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('sends_until__isnull', False), ('status__in', ['paused', 'sending'])), fields=['sends_until'], name='run_window'),
        ),
        migrations.AddConstraint(
            model_name='dateperiod',
            constraint=models.UniqueConstraint(fields=('unit', 'count', 'month_day'), name='date_period_once'),
        ),
        migrations.AddConstraint(
            model_name='dateperiod',
            constraint=models.CheckConstraint(condition=models.Q(('month_day', 'day'), models.Q(('month_day__in', ['day', 'last_day', 'weekday', 'last_weekday']), ('unit', 'month')), _connector='OR'), name='date_period_month_day'),
        ),
        migrations.AddConstraint(
            model_name='mailing',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at', None), ('max_runs', None), _connector='OR'), name='mailing_one_end'),
        ),
        migrations.AddConstraint(
            model_name='mailing',
            constraint=models.CheckConstraint(condition=models.Q(('max_runs', None), ('max_runs__range', (1, 1000)), _connector='OR'), name='mailing_number_of_runs'),
        ),
        migrations.AddConstraint(
            model_name='mailing',
            constraint=models.CheckConstraint(condition=models.Q(('weekdays__lte', 127)), name='mailing_weekdays_known'),
        ),
        migrations.AddConstraint(
            model_name='mailing',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('window_from', None), ('window_until', None)), models.Q(('window_from__isnull', False), ('window_until__isnull', False), models.Q(('window_from', models.F('window_until')), _negated=True)), _connector='OR'), name='mailing_window_opens'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('sends_from', None), ('sends_until', None)), models.Q(('sends_from__isnull', False), ('sends_from__lt', models.F('sends_until')), ('sends_until__isnull', False)), _connector='OR'), name='run_window_whole'),
        ),
    ]
