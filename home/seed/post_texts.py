"""The posts of the sample blog that are written in English."""

from __future__ import annotations

from typing import NamedTuple

from home.seed import blog_pictures as pictures
from home.seed.drawing import Picture

SCHEDULES, DELIVERABILITY, WRITING = "Schedules", "Deliverability", "Writing"
LISTS, INSIDE, RUSSIAN = "Lists", "Inside the service", "По-русски"


class Post(NamedTuple):
    """A post to be; `parts` are pairs of a block's type and what it holds.

    `days_ago` is when it was published; a post that never was has the days since it was written.
    """

    slug: str
    title: str
    intro: str
    picture: Picture
    tags: tuple[str, ...]
    days_ago: int
    parts: tuple[tuple[str, str | tuple[str, str] | tuple[Picture, str]], ...]


POSTS = (
    Post(
        "what-0900-means-twice-a-year",
        "What 09:00 means twice a year",
        "A weekly letter should arrive at nine, not at eight and not at ten. Two Sundays a year "
        "make that harder than it sounds.",
        pictures.CLOCK,
        (SCHEDULES,),
        4,
        (
            (
                "text",
                "<p>Tamsin runs a garden school. Every Monday at nine she writes to several "
                "hundred people about what to sow, prune and leave alone. With the program she "
                "used before, one Monday in spring her letter left at ten. Nothing had failed: "
                "the program had counted seven times twenty-four hours from the last run, as it "
                "was told to.</p>",
            ),
            ("heading", "The promise in a schedule"),
            (
                "text",
                "<p>“Every Monday at 09:00” is a promise about a clock on a wall, in a place. It "
                "is not a promise about a number of hours. So the next date has to be worked out "
                "from the rule and the place, and never from the moment the last letter happened "
                "to leave. That is why every mailing here has a time zone of its own.</p>",
            ),
            (
                "quote",
                ("If your schedule drifts, it was never a schedule. It was a stopwatch.", ""),
            ),
            ("heading", "The hour that does not exist"),
            (
                "text",
                "<p>In much of Europe one hour is skipped on the last Sunday of March. In Berlin "
                "the clock goes from 01:59 to 03:00, and 02:30 is never shown. A mailing that is "
                "set for 02:30 every day must still go out, once, and as close to its time as the "
                "day allows. We send it at 03:00.</p>",
            ),
            (
                "picture",
                (
                    pictures.HOURS,
                    "In spring one day has 23 hours, in autumn one has 25. The letter leaves once "
                    "in both.",
                ),
            ),
            ("heading", "The hour that happens twice"),
            (
                "text",
                "<p>In October 02:30 comes around twice. Sending twice would be correct by the "
                "clock and wrong by every other measure. The first 02:30 counts; the second is an "
                "ordinary moment in which nothing is due.</p>"
                "<p>You do not have to remember any of this. The page of a mailing shows its next "
                "five dates before you start it, each with its hour in the zone you chose. "
                "Minutes and hours are different: “every 6 hours” is a span of real time, and it "
                "stays six hours long on both Sundays.</p>",
            ),
        ),
    ),
    Post(
        "a-bounce-is-a-letter-to-you",
        "A bounce is a letter to you",
        "Read the reply before you delete the address. Half of the refusals in one autumn mailing "
        "were a full mailbox, not a wrong name.",
        pictures.RETURNED,
        (DELIVERABILITY,),
        11,
        (
            (
                "text",
                "<p>When a mail server does not take your letter, it says why. The answer is one "
                "line: three digits, often a second code with dots in it, and a few words that "
                "somebody once typed for you to read. It is the shortest letter you will get this "
                "week, and it is worth opening.</p>",
            ),
            ("heading", "Four or five"),
            (
                "text",
                "<p>The first digit decides. A <b>4</b> means not now: the mailbox is busy, the "
                "server wants to see whether you come back, the disk is full. A <b>5</b> means "
                "not at all. Everything after that says whose fault it is.</p>"
                "<ul><li><code>550 5.1.1</code>: there is no such mailbox.</li>"
                "<li><code>550 5.7.1</code>: the mailbox is there, but the sender is not wanted."
                "</li><li><code>451 4.7.1</code>: come back in a few minutes, a stranger’s first "
                "letter has to wait.</li></ul>",
            ),
            ("heading", "Full is not gone"),
            (
                "text",
                "<p>Some servers say <code>552 5.2.2</code> when a mailbox is full. That is a "
                "five, and yet the person is still there, on holiday perhaps. We treat it as what "
                "it is in fact: a reason to wait.</p>",
            ),
            (
                "picture",
                (
                    pictures.WAITS,
                    "Five minutes, a quarter of an hour, half an hour, then longer and longer.",
                ),
            ),
            ("heading", "What happens here"),
            (
                "text",
                "<p>A deferred letter is tried again after about 5, 15, 30, 60 and 120 minutes, "
                "then every four hours. After two days it expires: old news is worse than none. "
                "An address that does not exist is suppressed, and no later mailing of yours goes "
                "there. A refusal for any other reason costs nobody a place on the list.</p>"
                "<p>On the page of a mailing the failures are grouped by the answer, with the "
                "words of the other server as they came. Open a group, and you see the people "
                "behind it. Twenty refusals with one and the same text are not twenty wrong "
                "addresses. They are one conversation that you should have with one postmaster."
                "</p>",
            ),
        ),
    ),
    Post(
        "in-defence-of-the-plain-letter",
        "In defence of the plain letter",
        "No columns, no banner, a name at the end. When a letter looks like a letter, people "
        "answer it.",
        pictures.LETTER,
        (WRITING,),
        20,
        (
            (
                "text",
                "<p>Put two messages side by side. One has a banner, three columns, and a row of "
                "little pictures. The other says good morning, tells you one thing, and is signed "
                "with a name. You know which of them was written to you.</p>",
            ),
            ("heading", "A letter has one subject"),
            (
                "text",
                "<p>Three offers in one mail are three reasons to read it later. Write the one "
                "thing first. If there is a second thing that cannot wait, draw a line and put it "
                "below. If there is a third, you have next week’s letter.</p>"
                "<p>The subject line is part of that. It is the first sentence, not a headline: "
                "“Lift the last dahlias” says what to do, “Newsletter No. 48” says what it is. "
                "The line after it, the one that mail programs show in grey, is the second "
                "sentence. Write it yourself, or the program takes the first words it finds.</p>",
            ),
            ("heading", "Five blocks are enough"),
            (
                "text",
                "<p>A message here is made of headings, text, pictures, buttons and lines. That is "
                "a short list on purpose. Everything in it survives the journey: a reader that "
                "drops styles, a phone that is held upright, a screen that is dark, a program that "
                "speaks the letter aloud.</p>"
                "<ol><li>Say who you are in the first lines, or at the end.</li>"
                "<li>Let a button say what happens: <i>Reserve a place</i>, not <i>Click here</i>."
                "</li><li>Describe each picture in words. Many people never load it.</li></ol>",
            ),
            (
                "quote",
                (
                    "I took the columns out because I was in a hurry. That week eleven people "
                    "wrote back.",
                    "Tamsin Orrell, Quillmoor Garden School",
                ),
            ),
            ("heading", "Somebody will answer"),
            (
                "text",
                "<p>An answer to your letter goes to your own address; nothing here is sent from a "
                "“no-reply”. So ask something you would like to know, and leave an hour free on "
                "the day the letter leaves.</p>"
                "<p>Beside the letter there is always a plain text of it, made from the same "
                "blocks. Read that one before you start the mailing. If the text alone makes "
                "sense, the rest is decoration.</p>",
            ),
        ),
    ),
    Post(
        "leave-the-door-open",
        "Leave the door open",
        "Make it easy to leave, and the people who stay will trust you with their morning.",
        pictures.DOOR,
        (LISTS,),
        27,
        (
            (
                "text",
                "<p>There are two kinds of silence on a list. Some people are quiet because they "
                "are content. Others are quiet because they could not find the way out. From the "
                "outside the two look the same, until the second kind presses the button that "
                "says <i>spam</i>.</p>",
            ),
            ("heading", "Leaving is one click"),
            (
                "text",
                "<p>Every letter that goes out from here ends with three things: who sent it, why "
                "it came, and how to stop it. The link needs no password, asks for no reason and "
                "offers no list of twelve boxes to untick. Mail programs that show a button of "
                "their own for it find what they need in the head of the letter.</p>"
                "<p>The link itself opens a page with one button, and only the button changes "
                "anything. That is not a hurdle: many firms have scanners that follow every link "
                "in a mail, and nobody wants to be signed off by a virus scanner.</p>",
            ),
            ("heading", "Gone means gone"),
            (
                "text",
                "<p>Who leaves is kept by address, not by name in a list. Delete the client, add "
                "the same address again next year, put it into five lists: it still gets nothing "
                "from you. It counts from that moment, also for a mailing that is under way; a "
                "letter that has not been handed over stays here.</p>"
                "<p>It is yours alone, too. Leaving the garden school says nothing about the "
                "bookshop on the same server. Each sender keeps a door of its own, and nobody "
                "learns from one who has walked out of another.</p>",
            ),
            (
                "quote",
                ("A list from which nobody can leave is not an audience. It is a queue.", ""),
            ),
            ("heading", "What you see of it"),
            (
                "text",
                "<p>In the result of each run the people who left have a line of their own, "
                "<i>suppressed</i>, so that the numbers still add up to the audience. It is a "
                "good line to read once a month. If it grows after one particular letter, read "
                "that letter again, as if it had come to you.</p>",
            ),
        ),
    ),
    Post(
        "monthly-on-the-31st",
        "Monthly, on the 31st",
        "Seven months have one. What should a schedule do in the other five?",
        pictures.CALENDAR,
        (SCHEDULES,),
        48,
        (
            (
                "text",
                "<p>Accountants like the last day of the month, and so do people who send "
                "calendars of courses. They look at the form, see a date, and choose the 31st. In "
                "January that is clear. In February it is a question.</p>",
            ),
            ("heading", "Three answers, two of them wrong"),
            (
                "text",
                "<ol><li><b>Skip the month.</b> Then “monthly” means seven times a year, and the "
                "people who wait for your letter in February are not told why.</li>"
                "<li><b>Slide along.</b> The letter goes out on the 28th, and since the next date "
                "is counted from there, it stays on the 28th for ever. By summer nobody remembers "
                "that it was once the last day.</li>"
                "<li><b>Take the last day the month has.</b> The 28th in February, the 31st again "
                "in March.</li></ol>"
                "<p>We do the third. It works only because every date is computed from the first "
                "one and the number of months since, and never from the date before.</p>",
            ),
            (
                "quote",
                ("A schedule should have a memory of its rule, not of its last exception.", ""),
            ),
            ("heading", "Look before you start"),
            (
                "text",
                "<p>A rule like that is easy to agree with and hard to keep in mind. So the page "
                "of a mailing lists its next five dates. For a monthly letter that begins on 31 "
                "October at nine they are 30 November, 31 December, 31 January, 28 February and "
                "31 March, all at nine in the zone you chose. If that is not what you meant, "
                "change the start; nothing has left yet.</p>"
                "<p>You may change it later, too. A scheduled mailing takes over a new rule at "
                "once, and its next date is the first of the new rule that is still to come. What "
                "was sent stays as it was.</p>",
            ),
            ("heading", "And 29 February?"),
            (
                "text",
                "<p>A mailing that begins on the 29th of a month goes out on 28 February in three "
                "years of four. One with an interval of twelve months that begins on 29 February "
                "finds its own day again in the next leap year. It is rare, it costs nothing, and "
                "somebody out there has a birthday on it.</p>",
            ),
        ),
    ),
    Post(
        "sent-is-not-delivered",
        "“Sent” is not “delivered”",
        "Why the word you want is never on our screens, and what the one we use really tells you.",
        pictures.POSTMARK,
        (INSIDE, DELIVERABILITY),
        60,
        (
            (
                "text",
                "<p>You hand a letter over the counter. The clerk nods, and stamps it. At this "
                "moment you know one thing: the post has it. You do not know that it lies in the "
                "hallway of the person you wrote to, and the clerk does not know it either.</p>",
            ),
            ("heading", "How far one can see"),
            (
                "text",
                "<p>E-mail is the same. A mail server takes the letter and answers with a number "
                "that begins with 2. From then on the letter is in its care. It may pass it on at "
                "once, hold it for an hour, sort it into a folder nobody opens, or lose it in a "
                "fire. None of that comes back to us for certain.</p>",
            ),
            (
                "picture",
                (pictures.RELAY, "What is behind the red line is somebody else’s house."),
            ),
            (
                "text",
                "<p>So the word here is <b>sent</b>: the next mail server accepted it. We could "
                "print <i>delivered</i> in green, as others do. It would be a guess that looks "
                "like a fact.</p>"
                "<p>What you can watch instead is what the other side says before it takes a "
                "letter: that it wants to wait, that there is no such mailbox, that it does not "
                "want mail of this kind. Those answers are real, they come within a second, and "
                "you can read each of them word for word.</p>",
            ),
            ("heading", "The honest word for not knowing"),
            (
                "text",
                "<p>There is a narrower gap. Between the final dot of a letter and the answer of "
                "the server, the line can break. Then the server may have the letter or may not, "
                "and nobody on this side can tell. Such a letter is shown as <b>unknown</b>. It "
                "is never sent again by itself, because somebody may already be reading it.</p>"
                "<p>You decide. A button sends the unknown ones again if a double matters less to "
                "you than a gap; for an invitation it may, for an invoice it may not.</p>",
            ),
            (
                "quote",
                (
                    "A newsletter missed is a pity. A newsletter twice is a reason to leave.",
                    "",
                ),
            ),
        ),
    ),
    Post(
        "after-the-power-cut",
        "After the power cut",
        "The server was off over the weekend. What it should not do on Monday is catch up.",
        pictures.MAILBOX,
        (INSIDE, SCHEDULES),
        74,
        (
            (
                "text",
                "<p>A laptop goes to sleep, a cable is pulled, a machine room is painted. When "
                "the service wakes up again, its diary is full of things that should have "
                "happened. A hasty program would do them all, one after the other, and a mailing "
                "that runs every half hour would drop forty letters into each mailbox.</p>",
            ),
            ("heading", "One letter, never a pile"),
            (
                "text",
                "<p>However long nobody was there, a mailing gets at most one run when the lights "
                "come back: the one for its latest date. The dates before it are let go. Nobody "
                "has ever asked for the eleven notices in between.</p>"
                "<p>The other way around there is a rule as well. If a mailing falls due while "
                "its last run is still going on, the new date is <b>skipped</b>. Two runs of one "
                "mailing never overtake each other on the road.</p>",
            ),
            ("heading", "Late, but how late?"),
            (
                "text",
                "<p>Even that one letter goes out only if it still makes sense. A daily or weekly "
                "mailing may be late by twelve hours at most, and a mailing with a short interval "
                "by half of it. Beyond that the run is written down as <b>missed</b>, so that you "
                "can see it, and nothing is sent. “Good morning” at ten in the evening is worse "
                "than silence.</p>",
            ),
            ("heading", "In the middle of a run"),
            (
                "text",
                "<p>The harder case is a power cut while letters are leaving. Before a letter is "
                "handed over, the intention to send it is written to the disk; after the answer, "
                "the outcome. On waking, the service compares the two. What was certainly not "
                "sent goes out now. What was accepted is not repeated. Only the one letter per "
                "open line that was in the air at that very moment can be in doubt, and it is "
                "shown as unknown instead of being guessed at.</p>",
            ),
            (
                "quote",
                ("Exactly once is not a feature of good days.", ""),
            ),
            (
                "text",
                "<p>You can try it. Start the demonstration, wait until the weekly garden notes "
                "are half sent, and stop everything with Ctrl-C. Start it again, and count.</p>",
            ),
        ),
    ),
)

DRAFT = Post(
    "yours-alone",
    "Yours alone",
    "Who can see your clients? A short answer, and the long one behind it.",
    pictures.KEY,
    (INSIDE,),
    2,
    (
        (
            "text",
            "<p>The short answer: you, and the managers of the server you signed up on. Nobody "
            "else who has an account there can see that your clients exist.</p>",
        ),
        ("heading", "One rule, asked everywhere"),
        (
            "text",
            "<p>Every client, message and mailing has an owner. Each list, each form, each menu "
            "from which one can choose, each export starts from the same question: which of these "
            "rows may this person see? What you may not see does not answer “forbidden”. It "
            "answers “not found”, as if it were not there, because even a refusal tells "
            "something.</p>",
        ),
        ("heading", "What managers may do"),
        (
            "text",
            "<p>Managers see everything, because somebody has to answer when a stranger "
            "complains. They may stop a mailing, with a reason that its owner reads, and they may "
            "block an account. They cannot change a word of your letters.</p>"
            "<p>(Still to write: pictures, and what happens to the data when an account is "
            "deleted.)</p>",
        ),
    ),
)

SUBMITTED = Post(
    "what-a-picture-weighs",
    "What a picture weighs",
    "A photograph straight from the camera is heavier than a year of letters. What to do before "
    "you add one.",
    pictures.SCALE,
    (WRITING, DELIVERABILITY),
    1,
    (
        (
            "text",
            "<p>The text of a letter weighs next to nothing. A thousand words are six kilobytes; "
            "you could send a novel and nobody’s telephone would notice. One photograph from a "
            "recent camera weighs as much as five hundred such letters.</p>",
        ),
        ("heading", "Pictures do not travel with the letter"),
        (
            "text",
            "<p>A picture in a message stays on this server. The letter holds its address, and "
            "the reader’s program fetches it when the letter is opened, if it is allowed to. "
            "That keeps the letter light, and it means two things for you: some people never see "
            "the picture, and everybody else waits for it.</p>",
        ),
        ("heading", "What we do to it"),
        (
            "text",
            "<p>You may add pictures of up to five megabytes. For the letter a copy is made that "
            "is at most 1,200 pixels wide, twice the width of the layout, so that it is sharp on "
            "good screens. It is saved as JPEG, because every mail program since the nineties can "
            "show one. The copy of a five-megabyte photograph is usually lighter than a tenth of "
            "it.</p>",
        ),
        ("quote", ("Choose one picture. Then write the letter so that it works without it.", "")),
        ("heading", "What only you can do"),
        (
            "text",
            "<ul><li>Crop first. A face says more than the hall it stands in.</li>"
            "<li>No words inside the picture: who does not load it does not read them.</li>"
            "<li>Describe it in a sentence. That sentence is the picture for people who listen "
            "to their mail, and for everybody on a slow train.</li>"
            "<li>Look at the plain text of the message. Each picture is a line in brackets there. "
            "If the line is boring, the picture may be too.</li></ul>"
            "<p>A letter without any picture is a letter. You can always put one in next week."
            "</p>",
        ),
    ),
)
