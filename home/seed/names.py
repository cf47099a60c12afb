"""Names for invented clients. Addresses are made of them, in domains that RFC 2606 reserves."""

from __future__ import annotations

from typing import NamedTuple


def _words(text: str) -> list[str]:
    return text.split()


FIRST_NAMES = _words("""
Ada Agnes Alasdair Alice Amélie Anders Anouk Astrid Beatrice Benedict Björn Bridget Cecily Charlotte
Chloé Clara Clement Cormac Cosima Daphne Declan Dorothea Edith Edmund Eilidh Eleanor Elif Elsa Emrys
Esther Fenella Fergus Fiona Florian Frances François Freya Gareth Georgina Gethin Greta Gudrun Gwen
Hamish Hanna Harriet Hedda Henrietta Hugo Ida Imogen Inês Ingrid Iris Isla Ivo Jasper Jocelyn
Johannes Josephine Juno Karel Katarzyna Kirsten Lars Leonie Linnea Lorcan Louisa Lucian Ludmila
Łukasz Mabel Magnus Malin Margit Matilda Maud Mercedes Miriam Moira Morag Niamh Noël Nora Olive
Oona Orla Oskar Otto Pádraig Pascal Persephone Petra Philippa Phoebe Quentin Ragnar Ramón Renée
Rhona Roisin Rosalind Rowan Rufus Runa Saoirse Sebastian Signe Silke Sigrid Sorcha Søren Stella
Sybil Tamsyn Theodor Thora Tobias Ulrike Una Ursula Valentin Vera Vilhelm Wanda Wilfred Winifred
Xavier Yvonne Zdeněk Zoë
""")
LAST_NAMES = _words("""
Abernathy Ahlgren Alderton Amsel Appleyard Ashcombe Askwith Barrow Beckett Bellwood Bergström
Birchall Blackwood Bramley Bright Brügge Cadwallader Calloway Carrick Castell Chalmers Clearwater
Colquhoun Cotterill Croft Dalgaard Dahl Dashwood Delacroix Dunmore Dvořák Eastlake Eccles Elphick
Engström Fairweather Farrow Fenwick Ferreira Finch Foxley Gallagher Garland Gildersleeve Gómez
Greaves Grünwald Hale Halvorsen Hartwell Hawthorne Heatherington Hollis Huxtable Ibbotson Iversen
Jankowska Jessop Kavanagh Kirkbride Kowalski Lambourne Larkin Lefèvre Lindqvist Lockwood Lovelace
MacAskill Maddox Marchetti Mayhew Merriweather Moorcroft Müller Nettleton Nightingale Novák Oakley
O’Brien O’Connor Okafor Ormerod Østergaard Palfreyman Pemberton Penhaligon Petit Pike Quayle
Quillfeather Radcliffe Ravenscroft Redfern Rosenthal Rushworth Saltmarsh Sandoval Sato Schäfer
Selwyn Skelton Sørensen Spinney Stackpole Strand Sweeting Szabó Tallis Thackeray Thistlewood Thorne
Tillotson Trelawney Trevithick Underwood Vance Vasquez Verhoeven Wainwright Weatherby Whitlock
Wickham Winterbourne Woodhouse Wójcik Wren Yardley Yilmaz Zeller
""")

RUSSIAN_WOMEN = _words("""
Агата Александра Алёна Алиса Анастасия Анна Антонина Валентина Варвара Василиса Вера Вероника
Виктория Галина Дарья Евгения Екатерина Елена Елизавета Зинаида Зоя Инна Ирина Ия Капитолина Кира
Клавдия Ксения Лариса Лидия Любовь Людмила Маргарита Марина Мария Надежда Наталья Нина Оксана Ольга
Полина Раиса Светлана София Таисия Тамара Татьяна Ульяна Фаина Эмма Юлия Яна
""")
RUSSIAN_MEN = _words("""
Александр Алексей Анатолий Андрей Антон Аркадий Артём Богдан Борис Вадим Валерий Василий Виктор
Виталий Владимир Всеволод Вячеслав Геннадий Георгий Глеб Григорий Даниил Денис Дмитрий Евгений Егор
Ефим Захар Иван Игнат Игорь Илларион Кирилл Константин Лев Леонид Макар Максим Матвей Михаил Никита
Николай Олег Павел Пётр Родион Роман Савелий Семён Сергей Степан Тимофей Фёдор Юрий Яков Ярослав
""")
RUSSIAN_LAST_NAMES = _words("""
Абрамов Авдеев Агафонов Аксёнов Алёшин Андреев Артемьев Бабушкин Баранов Белов Белоусов Березин
Бобров Богданов Быков Васильев Веселов Воробьёв Воронцов Галкин Герасимов Голубев Горшков Грачёв
Громов Гусев Давыдов Дементьев Дроздов Дьяков Егоров Ежов Ёлкин Емельянов Ершов Жаворонков Жданов
Жуков Журавлёв Завьялов Зайцев Захаров Звонарёв Зимин Зуев Иванов Ильин Исаев Калашников Калинин
Киселёв Ключников Князев Козлов Колесов Корнилов Королёв Крылов Кузнецов Кукушкин Лаптев Лебедев
Листьев Лосев Лукин Макаров Мальцев Медведев Мельников Морозов Муравьёв Назаров Некрасов Никитин
Овчинников Орехов Осипов Панов Пастухов Петров Плотников Покровский Прохоров Пчёлкин Рогов Родионов
Рощин Рябинин Савин Садовников Самойлов Сафонов Синицын Скворцов Снегирёв Соболев Соколов Сомов
Сорокин Стрельцов Суворин Тихонов Третьяков Трофимов Тюрин Уваров Ульянов Федотов Филатов Хохлов
Цветков Чайкин Чернов Чижов Шаповалов Шилов Широков Щеглов Щербаков Щукин Юдин Яблоков Яковлев
""")
_FATHERS = _words("""
Александров Алексеев Андреев Антонов Аркадьев Борисов Вадимов Валентинов Викторов Владимиров
Геннадьев Георгиев Григорьев Евгеньев Егоров Ефимов Захаров Иванов Игорев Кириллов Константинов
Леонидов Львов Максимов Матвеев Михайлов Николаев Олегов Павлов Петров Романов Семёнов Сергеев
Степанов Тимофеев Фёдоров Юрьев Яковлев
""")

DOMAINS = (
    *("example.com", "example.org", "example.net"),
    *("post.example", "mail.example", "letters.example", "greenlane.example", "hill.example"),
    *("orchard.example", "village.example", "college.example", "workshop.example"),
)
RUSSIAN_DOMAINS = (
    *("example.com", "example.org", "example.net"),
    *("pochta.example", "yaschik.example", "pismo.example", "biblioteka.example"),
    *("shkola.example", "dvor.example", "почта.example"),
)


class Name(NamedTuple):
    first: str
    middle: str
    last: str


def european_names() -> list[Name]:
    """Return every pair of a first and a last name, in a fixed order."""
    return [Name(first, "", last) for first in FIRST_NAMES for last in LAST_NAMES]


def russian_names() -> list[Name]:
    """Return names whose three parts agree in gender, in a fixed order."""
    names = []
    for number, last in enumerate(RUSSIAN_LAST_NAMES):
        for index, (woman, man) in enumerate(zip(RUSSIAN_WOMEN, RUSSIAN_MEN, strict=False)):
            father = _FATHERS[(number * 7 + index * 5) % len(_FATHERS)]
            names.append(Name(woman, f"{father}на", _of_a_woman(last)))
            names.append(Name(man, f"{father}ич", last))
    return names


def _of_a_woman(last: str) -> str:
    return f"{last[:-2]}ая" if last.endswith("ий") else f"{last}а"
