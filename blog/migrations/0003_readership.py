"""Readers are counted beside the post: publishing an older revision brought the old number back."""

import django.db.models.deletion
from django.db import migrations, models


def keep_numbers(apps, schema_editor):
    posts = apps.get_model("blog", "BlogPage").objects.filter(views__gt=0)
    readership = apps.get_model("blog", "Readership")
    readership.objects.bulk_create(
        readership(post_id=pk, readers=views) for pk, views in posts.values_list("pk", "views")
    )


def put_back(apps, schema_editor):
    posts = apps.get_model("blog", "BlogPage").objects
    for row in apps.get_model("blog", "Readership").objects.all():
        posts.filter(pk=row.post_id).update(views=row.readers)


class Migration(migrations.Migration):
    dependencies = [("blog", "0002_post_language")]

    operations = [
        migrations.CreateModel(
            name="Readership",
            fields=[
                (
                    "post",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="readership",
                        serialize=False,
                        to="blog.blogpage",
                    ),
                ),
                ("readers", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.RunPython(keep_numbers, put_back, elidable=True),
        migrations.RemoveField(model_name="blogpage", name="views"),
    ]
