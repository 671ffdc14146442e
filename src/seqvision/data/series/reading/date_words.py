"""Words in dates: months and days of the week in the languages of exports, halves of the day, names of date columns."""

import re
import unicodedata

_MONTHS = """
january jan januar jänner jän janvier janv enero ene gennaio gen janeiro januari stycznia styczeń sty leden ledna
 январь января янв ocak oca tammikuu tammikuuta
february feb februar feber février févr fév febrero febbraio fevereiro fev februari lutego luty lut únor února
 февраль февраля фев февр şubat şub helmikuu helmikuuta
march mar märz maerz mär mrz mars marzo março maart mrt marts marca marzec březen března март марта мар mart maret
 maaliskuu maaliskuuta
april apr avril avr abril abr aprile kwietnia kwiecień kwi duben dubna апрель апреля апр nisan nis huhtikuu huhtikuuta
may mai mayo maggio mag maio mei maj maja květen května май мая mayıs toukokuu toukokuuta
june jun juni juin junio giugno giu junho czerwca czerwiec cze červen června июнь июня июн haziran haz kesäkuu kesäkuuta
july jul juli juillet juil julio luglio lug julho lipca lipiec lip červenec července июль июля июл temmuz tem heinäkuu
 heinäkuuta
august aug août agosto ago augustus augusti agustus agu sierpnia sierpień sie srpen srpna август августа авг ağustos
 ağu elokuu elokuuta
september sep sept septembre septiembre setiembre set settembre setembro września wrzesień wrz září сентябрь сентября
 сен сент eylül eyl syyskuu syyskuuta
october oct oktober okt octobre octubre ottobre ott outubro out października październik paź říjen října октябрь
 октября окт ekim eki lokakuu lokakuuta
november nov novembre noviembre novembro listopada listopad lis listopadu ноябрь ноября ноя нояб kasım kas marraskuu
 marraskuuta
december dec dezember dez décembre déc diciembre dic dicembre dezembro desember des grudnia grudzień gru prosinec
 prosince декабрь декабря дек aralık ara joulukuu joulukuuta
"""
_DAYS = """
monday mon montag mo lundi lun lunes lunedì segunda segunda-feira seg maandag ma 星期一 周一 週一 월 월요일 月 月曜日
tuesday tue tues dienstag di mardi mar martes martedì terça terça-feira ter dinsdag 星期二 周二 週二 화 화요일 火 火曜日
wednesday wed mittwoch mi mercredi mer miércoles mié mercoledì quarta quarta-feira qua woensdag wo 星期三 周三 週三 수
 수요일 水 水曜日
thursday thu thur thurs donnerstag do jeudi jeu jueves jue giovedì gio quinta quinta-feira qui donderdag
 星期四 周四 週四 목 목요일 木 木曜日
friday fri freitag fr vendredi ven viernes vie venerdì sexta sexta-feira sex vrijdag vr 星期五 周五
 週五 금 금요일 金 金曜日
saturday sat samstag sonnabend sa samedi sam sábado sáb sabato sab zaterdag za 星期六 周六 週六 토 토요일 土 土曜日
sunday sun sonntag so dimanche dim domingo dom domenica zondag zo 星期日 星期天 周日 周天 週日 일 일요일 日 日曜日
"""
_HALVES = {
    "am": 0, "a.m.": 0, "a.m": 0, "a. m.": 0, "上午": 0, "午前": 0, "오전": 0, "sa": 0,
    "pm": 12, "p.m.": 12, "p.m": 12, "p. m.": 12, "下午": 12, "午後": 12, "오후": 12, "ch": 12,
}  # fmt: skip


def _table(text: str) -> dict[str, int]:
    """Number the lines of a text and give every word its number, with and without its accents."""
    words: dict[str, int] = {}
    for number, line in enumerate(text.strip().replace("\n ", " ").splitlines(), 1):
        for word in line.split():
            words[word.casefold()] = number
            words.setdefault(plain(word), number)
    return words


def plain(word: str) -> str:
    """Take case and accents away.

    >>> plain("Août"), plain("Ngày")
    ('aout', 'ngay')
    """
    parts = unicodedata.normalize("NFKD", word.casefold())
    return unicodedata.normalize("NFC", "".join(sign for sign in parts if not unicodedata.combining(sign)))


MONTHS = _table(_MONTHS)  # word -> 1 … 12
WEEKDAYS = _table(_DAYS)  # word -> 1 (Monday) … 7
HALVES = dict(_HALVES)  # word -> hours that it adds

_DATE_NAME = re.compile(
    r"(?:^|[\W_]|(?<=[a-z])(?=[A-Z]))"
    r"(?:date|dates|datum|datetime|datumzeit|time|times|timestamp|zeit|zeitpunkt|zeitstempel|uhrzeit|tag|day|days|fecha|"
    r"data|jour|ngay|дата|время|tarih|zaman|dato|dag|paiva|period|periode|periodo|month|monat|mois|mes|mese|month|"
    r"quarter|quartal|trimestre|week|woche|year|years|jahr|ano|annee|anno|unix|epoch|ts|dt|ds|utc|hour|stunde|heure|hora|"
    r"mtu|观测时间)(?:$|[\W_\d]|(?=[A-Z]))|"
    r"日期|时间|時間|日付|日時|年月|年度|^年$|^月$|^日$|날짜|일자|일시|시간|^연도$|datetime|timestamp|_at$"
)
_YEAR_NAME = re.compile(r"(?:years?|jahr|ano|annee|anno|年|年度|年份|연도|god|rok|tahun|yil|vuosi|yr|(?:\w+ )?year)")


def is_date_name(name: str) -> bool:
    """Whether a column's name speaks of time.

    >>> [is_date_name(name) for name in ("Date", "observation_date", "openTime", "日期", "Fecha", "close", "Update")]
    [True, True, True, True, True, False, False]
    """
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())
    return bool(_DATE_NAME.search(plain(text)))


def is_year_name(name: str) -> bool:
    """Whether a column's name says that it holds years.

    >>> is_year_name("Year"), is_year_name("Año"), is_year_name("yearly mean")
    (True, True, False)
    """
    return bool(_YEAR_NAME.fullmatch(plain(name.strip())))
