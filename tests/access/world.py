"""A world with two owners who must not meet: each has one of everything, and all of it is marked.

Every text of an owner holds that owner's mark, so a page that shows it has shown too much.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.utils import timezone
from django.utils.text import slugify
from PIL import Image as Pillow
from wagtail.admin.models import EditingSession
from wagtail.contrib.redirects.models import Redirect
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.log_actions import log
from wagtail.models import Collection, PageViewRestriction, Site, UploadedFile
from wagtail.users.models import UserProfile

from accounts import roles
from accounts.models import User
from blog.models import BlogIndexPage, BlogPage
from home.models import HomePage
from mailing.enums import (
    Cause,
    DeliveryState,
    ImportState,
    MailingStatus,
    Outcome,
    RunStatus,
    Stage,
    SuppressionReason,
    Unit,
)
from mailing.models import (
    Attempt,
    Client,
    ClientImport,
    ClientList,
    Delivery,
    ImportFault,
    Mailing,
    Message,
    Run,
    Suppression,
)
from tests.conftest import PASSWORD
from tests.factories import body, make_client, make_list, make_mailing, make_message

Document = get_document_model()
Image = get_image_model()

MISSING = 987654321
"""An id that no row has."""

DRAFT_SECRET = "CANARY-draft"
"""A post that is not published yet: for bloggers and managers only."""


@dataclass(frozen=True)
class Belongings:
    """What one owner has. `secrets` are strings that no stranger may be shown."""

    owner: User
    secrets: tuple[str, ...]
    client: Client
    client_list: ClientList
    new_import: ClientImport
    done_import: ClientImport
    message: Message
    image: Any
    upload: UploadedFile
    editing_session: EditingSession
    login: UserSession
    mailings: dict[MailingStatus, Mailing]
    run: Run
    delivery: Delivery
    attempt: Attempt

    @property
    def mailing(self) -> Mailing:
        return self.mailings[MailingStatus.COMPLETED]


@dataclass(frozen=True)
class World:
    alice: User
    bob: User
    manager: User
    blogger: User
    admin: User
    blocked: User
    unverified: User
    alices: Belongings
    bobs: Belongings
    home: HomePage
    blog: BlogIndexPage
    post: BlogPage
    draft: BlogPage
    restriction: PageViewRestriction
    post_image: Any
    document: Any
    redirect: Redirect
    confirmation_key: str

    @property
    def users_group(self) -> Group:
        return Group.objects.get(name=roles.USERS.name)

    @property
    def site(self) -> Site:
        return Site.objects.get()


def make_world() -> World:
    alice = _person("alice", roles.USERS)
    bob = _person("bob", roles.USERS)
    blogger = _person("blogger", roles.BLOGGERS)
    admin = _person("admin", superuser=True)
    unverified = _person("unverified", roles.USERS)
    EmailAddress.objects.filter(user=unverified).update(verified=False)
    picture = _picture("sea", Collection.objects.get(name="Blog"), blogger)
    draft = _post(blogger, f"{DRAFT_SECRET} title", None)
    draft.get_workflow().start(draft, blogger)
    return World(
        alice=alice,
        bob=bob,
        manager=_person("manager", roles.MANAGERS),
        blogger=blogger,
        admin=admin,
        blocked=_person("blocked", roles.USERS),
        unverified=unverified,
        alices=_belongings(alice, "CANARY-alice", "+442079460118"),
        bobs=_belongings(bob, "CANARY-bob", "+442079460228"),
        home=HomePage.objects.get(),
        blog=BlogIndexPage.objects.get(),
        post=_post(blogger, "Public post", picture),
        draft=draft,
        restriction=PageViewRestriction.objects.create(
            page=draft.page_ptr, restriction_type="password", password=PASSWORD
        ),
        post_image=picture,
        document=Document.objects.create(
            title="Nobody's document",
            file=ContentFile(b"text", "nobody.txt"),
            uploaded_by_user=admin,
        ),
        redirect=Redirect.objects.create(old_path="/old", redirect_link="/blog/"),
        confirmation_key=EmailConfirmationHMAC(unverified.emailaddress_set.get()).key,
    )


def _person(name: str, *held: roles.Role, superuser: bool = False) -> User:
    create = User.objects.create_superuser if superuser else User.objects.create_user
    user = create(f"{name}@people.test", PASSWORD, first_name=name.capitalize())
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    UserProfile.get_for_user(user)
    roles.give(user, *held)
    return user


def _post(author: User, title: str, image: Any) -> BlogPage:
    """Return a post with a revision; public if it has a picture, else a draft."""
    post = BlogPage(
        title=title,
        slug=slugify(title),
        intro=f"{title} intro",
        body=body(("heading", f"{title} heading")),
        image=image,
        owner=author,
        author=author,
        live=image is not None,
    )
    BlogIndexPage.objects.get().add_child(instance=post)
    post.save_revision(user=author)
    return post


def picture_file(name: str, colour: str = "navy") -> ContentFile:
    stream = BytesIO()
    Pillow.new("RGB", (16, 16), colour).save(stream, "PNG")
    return ContentFile(stream.getvalue(), f"{name}.png")


def _picture(name: str, collection: Collection, owner: User) -> Any:
    return Image.objects.create(
        title=f"{name} picture",
        description=f"{name} description",
        file=picture_file(name),
        collection=collection,
        uploaded_by_user=owner,
    )


def _belongings(owner: User, mark: str, phone: str) -> Belongings:
    for name in ("first_name", "middle_name", "last_name"):
        setattr(owner, name, f"{mark} {name}")
    owner.phone = phone
    owner.avatar = f"avatars/{mark}.png"
    owner.save()
    client = make_client(
        owner,
        f"{mark}-client@clients.test",
        first_name=f"{mark} first",
        middle_name=f"{mark} middle",
        last_name=f"{mark} last",
        comment=f"{mark} comment",
    )
    client_list = make_list(owner, [client], name=f"{mark} list", description=f"{mark} purpose")
    image = _picture(mark, Collection.objects.get(name="Letters"), owner)
    message = make_message(
        owner,
        subject=f"{mark} subject",
        preheader=f"{mark} preheader",
        body=body(
            ("heading", f"{mark} heading"),
            ("text", f"<p>{mark} text</p>"),
            ("picture", {"image": image.pk, "decorative": False, "alt_text": f"{mark} alt"}),
            ("button", {"text": f"{mark} button", "url": f"https://{mark}.test/"}),
        ),
    )
    mailings = {
        status: make_mailing(
            owner,
            [client],
            name=f"{mark} {status.value}",
            message=message,
            unit=Unit.ONCE if status == MailingStatus.CREATED else Unit.DAY,
            status=status,
            starts_at=timezone.now() + timedelta(days=1),
            reason=f"{mark} reason",
        )
        for status in MailingStatus
    }
    for mailing in mailings.values():
        mailing.lists.add(client_list)
    Suppression.objects.create(
        owner=owner,
        email_normalized=f"{mark}-gone@clients.test".lower(),
        reason=SuppressionReason.UNSUBSCRIBED,
        created_at=timezone.now(),
    )
    _run(mailings[MailingStatus.SENDING], mark, RunStatus.SENDING)
    run = _run(mailings[MailingStatus.COMPLETED], mark, RunStatus.COMPLETED)
    delivery = run.deliveries.get(state=DeliveryState.FAILED)
    new_import = _import(owner, mark, client_list, ImportState.DRAFT)
    done_import = _import(owner, mark, client_list, ImportState.COMPLETED)
    Client.objects.filter(pk=client.pk).update(last_import=done_import)
    for row in (owner, client, client_list, message, image, done_import, *mailings.values()):
        log(instance=row, action="wagtail.edit", user=owner)
    message_type = ContentType.objects.get_for_model(Message)
    return Belongings(
        owner=owner,
        secrets=(mark, phone.removeprefix("+44"), owner.email),
        client=client,
        client_list=client_list,
        new_import=new_import,
        done_import=done_import,
        message=message,
        image=image,
        upload=UploadedFile.objects.create(
            for_content_type=ContentType.objects.get_for_model(Image),
            file=picture_file(f"{mark}-upload"),
            uploaded_by_user=owner,
        ),
        editing_session=EditingSession.objects.create(
            user=owner,
            content_type=message_type,
            object_id=str(message.pk),
            last_seen_at=timezone.now(),
        ),
        login=UserSession.objects.create(
            user=owner, ip="192.0.2.1", user_agent=f"{mark} browser", session_key=f"{mark}-key"
        ),
        mailings=mailings,
        run=run,
        delivery=delivery,
        attempt=delivery.log.get(),
    )


def _import(owner: User, mark: str, client_list: ClientList, state: ImportState) -> ClientImport:
    """Return an import of a file with one new client and one line that is faulty."""
    lines = f"email,first name\n{mark}-new@clients.test,{mark} new\n{mark} faulty,{mark} fault\n"
    row = ClientImport.objects.create(
        owner=owner,
        name=f"{mark}.csv",
        file=ContentFile(lines.encode(), "clients.csv"),
        format="UTF-8, commas",
        columns=["email", "first_name"],
        tags=[f"{mark} tag"],
        state=state,
        new=1,
        faulty=1,
    )
    row.lists.add(client_list)
    ImportFault.objects.create(
        client_import=row,
        line=3,
        column="email",
        reason="bad_address",
        value=f"{mark} faulty",
        cells=[f"{mark} faulty", f"{mark} fault"],
    )
    return row


def _run(mailing: Mailing, mark: str, status: RunStatus) -> Run:
    """Return a run with a letter that was refused and one that may have arrived."""
    now = timezone.now()
    run = Run.objects.create(
        mailing=mailing,
        due_at=now,
        status=status,
        opened_at=now,
        expires_at=now + timedelta(days=4),
        audience_size=2,
        subject=f"{mark} frozen subject",
        html=f"<p>{mark} frozen</p>",
        text=f"{mark} frozen",
        sender_name=f"{mark} sender",
        reply_to=f"{mark}-reply@people.test",
    )
    for state, outcome in (
        (DeliveryState.FAILED, Outcome.PERMANENT),
        (DeliveryState.UNKNOWN, Outcome.UNKNOWN),
    ):
        address = f"{mark}-{state.value}@clients.test"
        delivery = Delivery.objects.create(
            run=run,
            client=mailing.clients.get()
            if state == DeliveryState.FAILED
            else make_client(mailing.owner, f"{mark}-{status.value}@others.test"),
            email=address,
            email_normalized=address.lower(),
            state=state,
            attempts=1,
            last_code=550,
            last_reply=f"{mark} last reply",
        )
        Attempt.objects.create(
            owner=mailing.owner,
            delivery=delivery,
            number=1,
            at=now,
            outcome=outcome,
            stage=Stage.DOT,
            code=550,
            reply=f"{mark} reply",
            cause=None if outcome == Outcome.ACCEPTED else Cause.UNCLEAR,
        )
    return run
