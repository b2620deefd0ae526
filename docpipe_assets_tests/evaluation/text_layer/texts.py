"""The texts of the generated pages. The two halves have no common sentence."""

import random
from functools import cache
from importlib.resources import files

_SAMPLE = files("docpipe_assets.sample") / "texts"


def _words(text: str) -> list[str]:
    return text.split()


TUNE_FOREIGN = {
    "es": """
        El testigo declaró que la empresa no había entregado los documentos dentro del plazo fijado por
        el tribunal, y que nadie le explicó las razones de la demora. La demandada sostiene que el
        contrato quedó sin efecto cuando el comprador dejó de pagar las cuotas, de modo que no debe
        indemnización alguna. El juez ordenó que ambas partes presentaran sus libros de cuentas antes de
        fin de mes.
    """,
    "fr": """
        La société demanderesse soutient que les marchandises ont été livrées avec un retard de trois
        semaines et que ce retard lui a causé un préjudice important. Le défendeur répond que le retard
        était dû au mauvais temps, dont il ne saurait être tenu responsable. Le tribunal a entendu les
        témoins et renvoyé l'affaire à une audience ultérieure, afin que les pièces comptables soient
        versées au dossier.
    """,
    "de": """
        Die Klägerin behauptet, dass die Lieferung erst nach Ablauf der vereinbarten Frist eingetroffen
        sei und ihr dadurch ein erheblicher Schaden entstanden sei. Der Beklagte wendet ein, die
        Verspätung habe auf höherer Gewalt beruht und sei ihm nicht zuzurechnen. Das Gericht hat die
        Zeugen vernommen und den Parteien aufgegeben, ihre Unterlagen innerhalb von zwei Wochen
        vorzulegen.
    """,
}

UNSEEN_FOREIGN = {
    "it": """
        Il fornitore ha dichiarato che la merce era stata consegnata al magazzino prima della chiusura,
        ma il registro non riporta alcuna firma per quel giorno. La società acquirente ha quindi sospeso
        il pagamento della fattura e ha chiesto una perizia sullo stato dei macchinari. Le parti si sono
        incontrate due volte senza raggiungere un accordo, e la causa prosegue davanti al tribunale.
    """,
    "pt": """
        O gerente afirmou que não recebeu nenhuma reclamação antes da data do acidente e que os
        equipamentos tinham sido revistos no mês anterior. Os trabalhadores disseram o contrário: que
        avisaram várias vezes sobre o ruído da máquina e que ninguém tomou providências. A seguradora
        recusou o pagamento até que fosse concluída a investigação sobre as causas do incêndio.
    """,
    "nl": """
        De koper heeft de machine na ontvangst niet meteen laten onderzoeken, zodat pas na enkele
        maanden bleek dat de motor niet aan de eisen voldeed. De verkoper vindt dat de klacht te laat is
        ingediend en weigert het bedrag terug te betalen. De rechter zal eerst moeten beoordelen of de
        koper het gebrek eerder had kunnen ontdekken en of hij dan nog recht heeft op vergoeding.
    """,
    "sv": """
        Köparen hade inte undersökt maskinen när den kom fram, och felet upptäcktes därför först efter
        flera månader. Säljaren anser att klagomålet kom för sent och vill inte betala tillbaka något av
        priset. Domstolen ska nu ta ställning till om köparen borde ha märkt felet tidigare och vad det
        i så fall betyder.
    """,
}

OTHER_SCRIPTS = {
    "ru": """
        Свидетель показал, что компания не передала документы в срок, установленный судом, и что никто
        не объяснил ему причин задержки. Ответчик утверждает, что договор утратил силу, когда покупатель
        перестал платить взносы. Судья обязал обе стороны представить бухгалтерские книги до конца
        месяца.
    """,
    "el": """
        Ο μάρτυρας δήλωσε ότι η εταιρεία δεν παρέδωσε τα έγγραφα μέσα στην προθεσμία που είχε ορίσει το
        δικαστήριο και ότι κανείς δεν του εξήγησε τους λόγους της καθυστέρησης. Ο δικαστής διέταξε τα
        δύο μέρη να προσκομίσουν τα λογιστικά τους βιβλία πριν από το τέλος του μήνα.
    """,
    "zh": (
        "证人称该公司未在法院规定的期限内交付文件,也没有人向他说明延误的原因。被告主张,买方停止支付分期"
        "款项后合同即告失效,因此无须赔偿。法官命令双方在月底前提交账簿,并决定下周继续开庭审理此案。"
    ),
    "ja": (
        "証人は、会社が裁判所の定めた期限までに書類を引き渡さず、遅れの理由についても誰からも説明がなかっ"
        "たと述べた。被告は、買主が分割金の支払いを止めた時点で契約は失効したと主張している。"
    ),
    "he": """
        העד הצהיר כי החברה לא מסרה את המסמכים במועד שקבע בית המשפט, וכי איש לא הסביר לו את הסיבות
        לעיכוב. השופט הורה לשני הצדדים להגיש את ספרי החשבונות לפני סוף החודש.
    """,
    "ar": """
        أفاد الشاهد بأن الشركة لم تسلم المستندات في الموعد الذي حددته المحكمة، وأن أحدا لم يشرح له أسباب
        التأخير. وأمر القاضي الطرفين بتقديم دفاتر الحسابات قبل نهاية الشهر.
    """,
}

_UNSEEN = """
The board met on the second Tuesday of the month and approved the minutes of its last meeting. Mr. Halloran
reported that the roof of the north shed had been repaired at a cost of $14,320, and that the insurer had
agreed to bear two thirds of it. Ms. Okonjo asked why the repair had not been put out to tender. He answered
that the rain would not have waited, and that he had told the chairman of it at the time.
|
On examination the patient was alert and in no distress. The left knee was swollen and warm, with a range of
motion of ten to ninety degrees. There was no instability on stress testing. Radiographs showed a small
effusion and early narrowing of the medial joint space. I advised rest, ice, and a short course of an
anti-inflammatory drug, and asked her to return in three weeks or sooner if she developed a fever.
|
The pump shall be mounted on a level concrete pad not less than six inches thick. Before it is started the
operator must check that the suction valve is fully open and that the casing has been primed. A pump that is
run dry for more than a minute will damage its seal, and such damage is not covered by the warranty. Bearings
are to be greased every five hundred hours of service and replaced after ten thousand.
|
I grew up on a farm outside of Lindero and moved to the city when I was nineteen. My first job was in the
freight office, where I kept the ledger of incoming cars. I worked there for eleven years. I remember the
night of the fire well, because my brother had come to supper and we saw the glow from the kitchen window.
By the time we reached the yard the roof had fallen in, and nobody could go near for the heat.
|
Tenant shall pay the monthly rent in advance on the first day of each month, without any deduction or set-off.
If any payment is more than five days late, Tenant shall owe a late charge of four percent of the amount due.
Landlord may enter the premises at reasonable hours to inspect them, to make repairs, or to show them to
others, and shall give notice of at least one day except in an emergency.
|
The survey covered twelve hundred households in four counties. About a third of them had moved within the last
five years, mostly for work. Of those who had stayed, more than half said that they would leave if they could
sell their house for what they had paid. The authors warn that answers about money are seldom exact, and that
people who were never at home are missing from the figures altogether.
"""

FIRST_NAMES = _words(
    """
    Aurelio Bettina Cormac Delphine Eskil Fenella Gideon Hester Isidro Jocasta Kermit Leocadia Mungo
    Nerissa Osgood Perpetua Quillan Rowena Silvio Tabitha Ulrich Verity Winslow Xenia Yolanda
    Zebedee
    """
)
LAST_NAMES = _words(
    """
    Abernathy Brzezicki Calloway Dombrowski Eichelberger Featherstonhaugh Grzybowski Hollingsworth
    Ibarguen Jankowiak Kowalczyk Lattimore Mbeki-Thornton Nakagawa Oyelaran Przybylski Quattlebaum
    Rasmussen Szczepanski Tchaikowsky Uribe Vandersloot Wojciechowski Xanthopoulos Ybarra Zamboanga
    """
)
TOWNS = _words(
    """
    Ellsmoor Fennimore Reno Spokane Altoona Duluth Yakima Pocatello Moline Texarkana
    """
)


@cache
def tune_paragraphs() -> tuple[str, ...]:
    """The paragraphs of the sample production, without its formatting marks."""
    found = []
    for name in ("agreement.txt", "answer.txt", "complaint.txt", "demand_letter.txt", "expert_report.txt"):
        for block in (_SAMPLE / name).read_text("utf-8").split("\n\n"):
            text = " ".join(block.replace("**", "").split())
            if len(text) > 120 and text[0] not in "@~-|":
                found.append(text)
    return tuple(found)


@cache
def unseen_paragraphs() -> tuple[str, ...]:
    return tuple(" ".join(block.split()) for block in _UNSEEN.split("|"))


def prose(paragraphs: tuple[str, ...], chance: random.Random, characters: int) -> str:
    """Paragraphs in a shuffled order, one a line, with at least ``characters`` characters in total."""
    chosen: list[str] = []
    while sum(map(len, chosen)) < characters:
        chosen += chance.sample(paragraphs, len(paragraphs))
    text = ""
    for paragraph in chosen:
        text += ("\n" if text else "") + paragraph
        if len(text) >= characters:
            break
    return text


def names(chance: random.Random, count: int) -> list[str]:
    return [f"{chance.choice(LAST_NAMES)}, {chance.choice(FIRST_NAMES)}" for _ in range(count)]


def misread(text: str, chance: random.Random, share: float) -> str:
    """The text as an early OCR program read it: a share of its letters is misread."""
    looks_like = {
        "e": "c",
        "h": "b",
        "o": "0",
        "l": "1",
        "i": "!",
        "n": "u",
        "m": "rn",
        "t": "f",
        "a": "o",
        "s": "5",
        "r": "i",
        "u": "v",
        "d": "cl",
        "g": "q",
        "w": "vv",
        "f": "t",
        "y": "v",
        "c": "e",
    }
    return "".join(looks_like.get(c, c) if chance.random() < share else c for c in text)
