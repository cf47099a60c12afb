from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("mailing", "0008_client_facts")]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="missed_since",
            field=models.DateTimeField(null=True),
        ),
    ]
