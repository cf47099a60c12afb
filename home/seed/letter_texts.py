"""What the garden school and the bookshop write to their clients."""

from __future__ import annotations

from typing import NamedTuple

from home.seed.drawing import Picture
from home.seed.letter_pictures import GREENHOUSE, OPEN_BOOK, SEEDS, SHELF

Part = tuple[str, str | Picture | tuple[str, str] | None]


class Letter(NamedTuple):
    """A message to be: `parts` are pairs of a block's type and what it holds."""

    subject: str
    preheader: str
    parts: tuple[Part, ...]


DAHLIAS = Letter(
    "Lift the last dahlias",
    "And three things you may safely leave until spring",
    (
        ("heading", "Lift the last dahlias"),
        (
            "text",
            "<p>Good morning, {{ first_name|gardener }},</p>"
            "<p>lift the last dahlias this week, before the ground turns hard. Cut the stems to a "
            "hand’s width, shake off the soil and let the tubers dry upside down for a few days."
            "</p><p>Three things you may safely leave until spring:</p>"
            "<ul><li>the dead heads of the coneflowers: the goldfinches want them,</li>"
            "<li>the leaves under the hedge,</li>"
            "<li>the pruning of everything that flowers before May.</li></ul>"
            "<p>We dig together on Saturday at ten, at the east gate. Tell me if you are coming, "
            "so that there is soup for everybody.</p>",
        ),
        ("button", ("I am coming on Saturday", "https://quillmoor.example/saturday")),
        ("text", "<p>Tamsin<br/>Quillmoor Garden School</p>"),
    ),
)
MOSS = Letter(
    "What to do about moss",
    "Mostly nothing, and here is why",
    (
        ("heading", "What to do about moss"),
        (
            "text",
            "<p>Good morning, {{ first_name|gardener }},</p>"
            "<p>mostly nothing. Moss keeps the soil damp, and blackbirds line their nests with "
            "it. If it bothers you on the path, a stiff broom in dry weather does more than any "
            "bottle.</p>"
            "<p>On a lawn, moss is a note from the ground. It says <b>too much shade</b>, <b>too "
            "wet</b> or <b>cut too short</b>. Answer the note and the moss goes by itself; rake "
            "it out and it will write again.</p>",
        ),
        ("divider", None),
        (
            "text",
            "<p><b>This week in the glasshouse:</b> we prick out the lettuce on Thursday at "
            "five. Anybody who can hold a pencil can do it.</p><p>Tamsin</p>",
        ),
    ),
)
SEED_SAVING = Letter(
    "Save the seed you like best",
    "Two plants, one paper bag, and a pencil",
    (
        ("heading", "Save the seed you like best"),
        (
            "text",
            "<p>Good morning, {{ first_name|gardener }},</p>"
            "<p>you need a paper bag, a pencil, and the patience to leave the two best plants "
            "alone until they look dead. Beans, peas and lettuce come true; squashes do as they "
            "please.</p>"
            "<ol><li>Choose the plant, not the pod.</li><li>Let it dry where it stands.</li>"
            "<li>Write the name and the year on the bag <i>before</i> you fill it.</li></ol>"
            "<p>Bring what you can spare to the swap; the long table has room.</p><p>Tamsin</p>",
        ),
        ("picture", SEEDS),
    ),
)
WATER = Letter(
    "Water less often, {{ first_name|friend }}",
    "A full can once a week does more than a cup a day",
    (
        ("heading", "Water less often, and more"),
        (
            "text",
            "<p>A cup of water a day keeps roots near the surface, where the sun finds them. A "
            "full can once a week sends them down.</p>"
            "<p>Push a finger into the soil beside the plant. Dry to the second joint: water. "
            "Damp: go and read something.</p>"
            "<p>Pots are the exception, as pots always are.</p><p>Tamsin</p>",
        ),
    ),
)
COURSES = Letter(
    "Three courses at Quillmoor",
    "Old fruit trees, sowing under glass, a small pond",
    (
        ("picture", GREENHOUSE),
        ("heading", "Three courses for small groups"),
        (
            "text",
            "<p>Good morning, {{ full_name|friend }}. Each course has room for twelve, takes a "
            "Saturday, and ends with tea.</p>",
        ),
        ("heading", "Pruning old fruit trees"),
        (
            "text",
            "<p>Bring gloves. The trees are ours, the mistakes are free.</p>",
        ),
        ("heading", "Sowing under glass"),
        ("text", "<p>Onions, sweet peas and patience.</p>"),
        ("heading", "A small pond in a day"),
        ("text", "<p>For frogs, and for people who like to sit.</p>"),
        ("button", ("See the dates", "https://quillmoor.example/courses")),
        ("divider", None),
        (
            "text",
            '<p>The whole year is on the page of <a href="https://quillmoor.example/courses">our '
            "courses</a>. If a course is full, answer this letter and I will keep a place in the "
            "next one.</p><p>Tamsin and everybody at the school</p>",
        ),
    ),
)
SWAP = Letter(
    "Swap your seeds on Friday",
    "Bring what you saved, take what you miss",
    (
        ("heading", "Swap your seeds on Friday"),
        ("picture", SEEDS),
        (
            "text",
            "<p>Good morning, {{ first_name|gardener }}. On Friday the long table in the "
            "glasshouse is set for the seed swap again. Bring what you saved, take what you miss; "
            "last year 214 little bags changed hands.</p>"
            "<p>If you have nothing to bring, bring a cake.</p>",
        ),
        ("button", ("Reserve a place at the table", "https://quillmoor.example/swap")),
        ("text", "<p>Until Friday,<br/>Tamsin</p>"),
    ),
)
ROTA = Letter(
    "Glasshouse tomorrow: who opens, who waters",
    "Vents at seven, water at eight",
    (
        (
            "text",
            "<p>{{ first_name|Hello }},</p><p>vents open at seven, water at eight, the gate is "
            "locked at five. The list hangs beside the tap; put your initials where you can, and "
            "swap among yourselves where you cannot.</p><p>T.</p>",
        ),
    ),
)


def _open_day(day: str) -> Letter:
    return Letter(
        f"The gate is open on {day}",
        "Soup, cuttings, and a walk around the beds at eleven",
        (
            ("heading", f"The gate is open on {day}"),
            (
                "text",
                "<p>Good morning, {{ first_name|neighbour }},</p><p>once a year we leave the gate "
                "open for everybody. There is soup from twelve, cuttings for a coin, and a walk "
                "around the beds at eleven, slow enough for questions.</p><p>Come by bicycle if "
                "you can: the lane holds nine cars.</p><p>Tamsin</p>",
            ),
        ),
    )


OPEN_DAY_WRONG, OPEN_DAY = _open_day("Saturday"), _open_day("Sunday")
TIMETABLE = Letter(
    "Your timetable for the next weeks",
    "Please check the room: two groups have moved",
    (
        ("heading", "Your timetable"),
        (
            "text",
            "<p>{{ full_name|Dear guest }},</p><p>the beginners meet in the barn from now on, the "
            "fruit group in the glasshouse. Hours stay as they were.</p><p>If you cannot come "
            "any more, tell me in a line, and somebody on the waiting list will be glad.</p>"
            "<p>Tamsin</p>",
        ),
    ),
)
TOOLS = Letter(
    "Tools and pots from our neighbours",
    "A fork that lasts, and pots that were thrown by hand",
    (
        ("heading", "Tools and pots from our neighbours"),
        (
            "text",
            "<p>Good morning, {{ first_name|gardener }}. The forge in Low Lane makes forks again, "
            "and the pottery has its autumn firing. Both give our guests a tenth off.</p>",
        ),
        ("button", ("See what they have", "https://quillmoor.example/neighbours")),
    ),
)
SPRING = Letter(
    "Sowing under glass: the first Saturday",
    "",
    (
        ("heading", "The first Saturday under glass"),
        (
            "text",
            "<p>Good morning, {{ first_name|gardener }},</p><p>(to be written: what to bring, "
            "where to park, who makes the tea)</p>",
        ),
    ),
)

WEEK = Letter(
    "Три книги на эту неделю",
    "Одна тонкая, одна толстая и одна для чтения вслух",
    (
        ("heading", "Три книги на эту неделю"),
        (
            "text",
            "<p>Доброе утро, {{ first_name|читатель }}.</p>"
            "<p>На этой неделе мы отложили для вас три книги, и у каждой есть причина лежать на "
            "прилавке лицом вверх.</p>"
            "<ul><li><b>Тонкая</b>: письма смотрителя маяка, которые он двадцать лет писал самому "
            "себе.</li><li><b>Толстая</b>: история бумаги, от тряпья до газетного листа.</li>"
            "<li><b>Для чтения вслух</b>: сказки о почтальоне и его собаке, по одной на вечер."
            "</li></ul>",
        ),
        ("button", ("Отложить книгу", "https://korablik.example/otlozhit")),
        ("text", "<p>Илья Савельев,<br/>лавка «Бумажный кораблик»</p>"),
    ),
)
RAIN = Letter(
    "Книги для дождливого вечера",
    "Что читать, когда за окном вторые сутки вода",
    (
        ("heading", "Книги для дождливого вечера"),
        (
            "text",
            "<p>Доброе утро, {{ first_name|читатель }}.</p>"
            "<p>Дождь хорош тем, что никуда не нужно идти. Мы собрали полку книг, в которых "
            "погода важнее сюжета: морские дневники, полярные зимовки и один роман, где три "
            "главы подряд льёт.</p><p>Чай у нас свой, кружки тоже.</p><p>Илья</p>",
        ),
        ("picture", SHELF),
    ),
)
ALOUD = Letter(
    "{{ first_name|Читатель }}, это стоит прочесть вслух",
    "Короткие рассказы, которые любят, чтобы их слышали",
    (
        ("heading", "Это стоит прочесть вслух"),
        (
            "text",
            "<p>Есть рассказы, которым тесно на странице. Мы выбрали пять: каждый занимает "
            "меньше четверти часа, и каждый кончается не там, где вы ждёте.</p>"
            "<p>Если читать некому, приходите в четверг: у нас читают по кругу, и слушателей "
            "всегда не хватает.</p><p>Илья</p>",
        ),
    ),
)
CLUB = Letter(
    "Книжный клуб: что читаем дальше",
    "Встреча в среду в семь, стулья свои, печенье общее",
    (
        ("heading", "Что читаем дальше"),
        (
            "text",
            "<p>{{ first_name|Здравствуйте }}, встреча в среду в семь вечера. Дочитываем до "
            "девятой главы; кто забежал вперёд, молчит.</p>"
            "<ol><li>О чём эта глава, одним предложением?</li>"
            "<li>Кому вы в ней верите?</li><li>Что берём следующим?</li></ol>",
        ),
        ("divider", None),
        ("text", "<p>Если не сможете прийти, напишите нам строчку в ответ.</p><p>Илья</p>"),
    ),
)
ARRIVALS = Letter(
    "Новые поступления: история и путешествия",
    "Сорок две книги, из них три в единственном экземпляре",
    (
        ("picture", SHELF),
        ("heading", "Новые поступления"),
        (
            "text",
            "<p>Здравствуйте, {{ first_name|дорогой читатель }}. Пришли сорок две книги по "
            "истории и о дальних дорогах. Три из них есть у нас в единственном экземпляре, так "
            "что этот список длиннее утром, чем вечером.</p>",
        ),
        ("button", ("Посмотреть список", "https://korablik.example/novoe")),
        ("divider", None),
        (
            "text",
            "<p>Отложенную книгу мы держим неделю. Потом она возвращается на полку, без обид."
            "</p><p>Илья Савельев</p>",
        ),
    ),
)
EVENINGS = Letter(
    "Вечера в лавке: афиша на месяц",
    "Чтения по четвергам, переплёт по субботам",
    (
        ("picture", OPEN_BOOK),
        ("heading", "Вечера в лавке"),
        (
            "text",
            "<p>Добрый день, {{ first_name|читатель }}. Вот что будет у нас в ближайший месяц. "
            "Вход свободный, мест двадцать пять.</p>",
        ),
        ("heading", "По четвергам: читаем вслух"),
        ("text", "<p>В семь вечера, по кругу, по странице каждый.</p>"),
        ("heading", "По субботам: чиним переплёты"),
        (
            "text",
            "<p>Приносите книгу, у которой отходит корешок. Клей, марля и "
            '<a href="https://korablik.example/pereplet">короткая памятка</a> найдутся.</p>',
        ),
        ("button", ("Занять место", "https://korablik.example/vechera")),
        ("text", "<p>До встречи,<br/>Илья и «Бумажный кораблик»</p>"),
    ),
)
FAIR = Letter(
    "Ярмарка старой книги в субботу",
    "С десяти до шести, во дворе, при любой погоде",
    (
        ("heading", "Ярмарка старой книги"),
        (
            "text",
            "<p>{{ first_name|Здравствуйте }}, в субботу выносим столы во двор. Продаём, меняем и "
            "просто показываем: у соседей есть атлас, который вдвоём не поднять.</p>"
            "<p>Принесите одну книгу, которую больше не откроете. Уйдёте с той, которую искали."
            "</p><p>Илья</p>",
        ),
    ),
)
STOCKTAKING = Letter(
    "Во вторник пересчитываем книги",
    "Лавка закрыта один день",
    (
        (
            "text",
            "<p>{{ first_name|Здравствуйте }}, во вторник лавка закрыта: раз в год мы "
            "пересчитываем книги и каждый раз находим одну лишнюю.</p><p>В среду откроемся как "
            "обычно, в десять.</p><p>Илья</p>",
        ),
    ),
)
SCHOOLS = Letter(
    "Списки чтения для школ и библиотек",
    "Собираем заказы до конца месяца",
    (
        ("heading", "Списки чтения"),
        (
            "text",
            "<p>Здравствуйте, {{ first_name }} {{ middle_name }}.</p><p>Пришлите нам список, и мы "
            "соберём заказ вместе с соседними школами: так выходит дешевле и приезжает одной "
            "машиной.</p><p>Илья Савельев, «Бумажный кораблик»</p>",
        ),
    ),
)
