"""Shapes of identity in text (dates, addresses, long numbers, ages), and shapes of measures."""
# ruff: noqa: E501, ISC004, RUF001 - one shape a line, as it is read; letters of other alphabets are meant

from __future__ import annotations

import re
from typing import Final

_MONTH: Final = (
    r"(?:jan(?:uar[yi]?|vier)?|feb(?:ruar[yi]?|braio)?|f[ée]v(?:rier|ereiro)?|mar(?:ch|z|s|zo|ço|et)?|maart|mär(?:z)?|mrt"
    r"|apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|mai|may[o]?|maggio|maio|mei|jun[ei]?|junio|junho|juin|giu(?:gno)?"
    r"|jul[yi]?|julio|julho|juil(?:let)?|lug(?:lio)?|aug(?:ust)?|ao[uû]t|agosto|augustus|sep(?:t(?:emb(?:er|re))?)?"
    r"|set(?:embre|embro)|septiembre|o[ckt]t(?:ob(?:er|re)?)?|octubre|outubro|ott(?:obre)?|nov(?:emb(?:er|re|ro))?"
    r"|noviembre|d[eé][czs](?:emb(?:er|re|ro))?|diciembre|dicembre|dezembro"
    r"|январ[яь]|феврал[яь]|марта?|апрел[яь]|мая|июн[яь]|июл[яь]|августа?|сентябр[яь]|октябр[яь]|ноябр[яь]|декабр[яь])"
)
_OF: Final = r"(?: +(?:of|de|del|di|the))?"
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|\.)?"
_YEARS: Final = r"(?:y[/ .]?o\b|y(?:ea)?rs?\b|y\b|jahre?n?\b|j\b\.?|jährig\w*|ans\b|años\b|anos\b|anni\b|jaar\b|лет\b|歳|岁|세)"
_STREET: Final = (
    r"(?:street|str\.|straße|strasse|road|rd\.|avenue|ave\.|lane|drive|blvd|boulevard|gasse|allee|platz|weg|laan"
    r"|straat|square|terrace|crescent)"
)
_HOUSE: Final = (
    r"(?:hospital|hosp\.|clinic|clínica|clinica|clinique|klinik|klinikum|krankenhaus|spital|ziekenhuis|infirmary"
    r"|medical (?:center|centre|school|group)|health (?:center|centre|system)|university|universität|université"
    r"|universidad|universitätsklinikum|universitätsspital|hôpital|hopital|ospedale|policlinico|ward|institute|institut"
    r"|radiology associates|praxis|больниц\w*|клиник\w*|病院|医院|병원|مستشفى)"
)
_ONES: Final = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_OLD: Final = (
    rf"(?<![^\W_])(?:(?:ninety|(?:(?:a|one)[ -])?hundred(?:[ -]and)?)(?:[- ]{_ONES})?[- ]?y(?:ea)?rs?(?:[- ]old|[- ]of[- ]age)?"
    rf"|age[d]? (?:ninety|(?:(?:a|one)[ -])?hundred(?: and)?)(?:[- ]{_ONES})?|(?:in (?:his|her|their) )?nineties"
    r"|(?:[a-zäöü]{3,8}und)?(?:neunzig|(?:ein)?hundert\w{0,6}?)[- ]?jähr\w*|(?:[a-zäöü]{3,8}und)?(?:neunzig|(?:ein)?hundert) jahren?\w*"
    r"|(?:quatre[- ]vingts?[- ](?:dix|onze|douze|treize|quatorze|quinze|seize)(?:[- ](?:sept|huit|neuf))?|nonante[\w -]{0,9}?|cent(?: \w{2,6})?) ans"
    r"|(?:noventa(?: y \w{3,6})?|cien(?:to \w{2,6})?) años|(?:noventa(?: e \w{3,6})?|cem|cento e \w{3,6}) anos"
    r"|(?:novant\w{1,9}|cento\w{0,8}) anni|(?:\w{3,7})?negentig(?:[- ]?jarige?| jaar))(?![^\W_])"
)
# Before a day and a month; `of` only behind what has a date.
_SINCE: Final = (
    r"(?:(?<=\bon )|(?<=\bfrom )|(?<=\bsince )|(?<=\bdated )|(?<=\bprior )|(?<=\buntil )|(?<=\bwith )|(?<=\bto )|(?<=\bdate )"
    r"|(?<=study of )|(?<=exam of )|(?<=nation of )|(?<=scan of )|(?<=film of )|(?<=\bct of )|(?<=\bmr of )|(?<=\bmri of )|(?<=\bxr of )"
    r"|(?<=\bvom )|(?<=\bam )|(?<=\bseit )|(?<=\bzum )|(?<=\bdu )|(?<=\ble )|(?<=\bdepuis )|(?<=\bdel )|(?<=\bel )|(?<=\bdesde )"
    r"|(?<=\bdal )|(?<=\bil )|(?<=\bvan )|(?<=\bsinds )|(?<=\bdate: )|(?<=\bdatum )|(?<=\bdatum: ))"
)
# Before and behind two numbers that count or measure something.
_NO_COUNT: Final = r"(?<!images )(?<!image )(?<!phase )(?<!phases )(?<!series )(?<!echo )(?<!slice )(?<!slices )(?<!weeks )(?<!week )(?<!serie )"
_COUNTED: Final = r" ?(?:mm|cm|ml|ms|s|min|hours?|days?|weeks?|months?|years?|%)(?![^\W_])"
_DAY_MONTH: Final = (
    r"(?:(?:0?[1-9]|1[0-2])[-/](?:0?[1-9]|[12]\d|3[01])|(?:0?[1-9]|[12]\d|3[01])[-/](?:0?[1-9]|1[0-2]))"
)
# No telephone number but b-values: 50 100 400 800.
_NO_TENS: Final = r"(?<!\d0 )(?<!b 0 )(?<!b0 )(?<!b=0 )(?!(?:\d{1,3}0 ){2,}\d{1,3}0(?![\d.-]| \d))"

_IDENTITY: Final = (
    r"(?<![\w.+'\u2019-])[\w.+'\u2019-]++ ?(?:@|\(at\)|\[at\]) ?[\w-]+(?:\.[\w-]+)+",  # e-mail
    r"(?:https?|ftp)://\S+|\bwww\.\S+",  # address on the web
    r"(?<!\d)(?:19|20)\d{2}[-./ ]?(?:0[1-9]|1[0-2])[-./ ]?(?:0[1-9]|[12]\d|3[01])(?!\d)",  # date, year first
    r"(?<!\d)(?:19|20)\d{2}(?P<ymd>[-./_])(?:0?[1-9]|1[0-2])(?P=ymd)(?:0?[1-9]|[12]\d|3[01])(?!\d)",  # 2019/3/2, 2019_03_02
    r"(?<!\d)\d{1,2}_\d{1,2}_(?:19|20)\d{2}(?!\d)",  # 2_3_2019
    r"(?:19|20)\d{2} ?[年년] ?\d{1,2} ?[月월](?: ?\d{1,2} ?[日일])?|\d{1,2} ?[月월] ?\d{1,2} ?[日일]",
    r"(?<!\d)\d{1,2} ?[-./] ?\d{1,2} ?[-./] ?(?:\d{4}|\d{2})(?!\d)",  # date, year last
    r"(?<![\d.])\d{1,2}[-./ ][IVX]{1,4}[-./ ]\d{2,4}(?!\d)",  # 12.III.2019
    r"(?<![\d.,])(?:0[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2])\.(?![\d])",  # 12.03.
    r"(?<![\d./])(?:(?:0\d|1[0-2])/(?:[012]\d|3[01])|(?:[012]\d|3[01])/(?:0\d|1[0-2]))(?![\d/])",  # 12/03
    rf"{_NO_COUNT}(?<![\d.,/\w-])(?:0[1-9]-(?:[012]\d|3[01])|(?:[12]\d|3[01])-0[1-9])(?![\w/-]|[.,]\d|{_COUNTED})",  # 12-03
    rf"{_SINCE}(?![1-4]/[2-5] [^\W\d_]){_DAY_MONTH}(?![\w/-]|[.,]\d|{_COUNTED})",  # since 3/12
    r"(?:(?<=\bvom )|(?<=\bam )|(?<=\bseit )|(?<=\bbis )|(?<=\bzum )|(?<=\bab )|(?<=\bden ))(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.(?!\d)",  # am 3.12.
    r"(?<![\d.])(?:0?[1-9]|1[0-2]) ?[-./] ?(?:19|20)\d{2}(?!\d)",  # 03/2019
    rf"(?<![^\W_]){_DAY}[-./ ]*{_OF} ?{_MONTH}\b\.?(?:[-./ ,']*{_OF} *'?\d{{2,4}}(?!\d))?",  # 3 May, 3rd of May 2020
    rf"(?<![^\W_]){_MONTH}[-. ]*\d{{1,2}}(?:st|nd|rd|th)?(?:,? *'?\d{{2,4}})?(?![\d.,]*\d)(?! ?(?:mm|cm|ms|s|min|x|%)\b)",
    rf"(?<![^\W_]){_MONTH}\.?[-, ]*{_OF} *(?:'\d{{2}}|(?:19|20)\d{{2}})(?!\d)",  # May 2020, Mar '19
    r"(?:\+|(?<!\d)00)\d[\d ()/.-]{6,}\d",  # telephone, international
    rf"(?<![\d.]){_NO_TENS}(?=(?:[ ()/-]{{0,2}}\d){{6}})\(?0?\d{{2,5}}\)?[ /-]\d{{3,}}+(?:[ -]\d{{2,}}+)*(?![\d.])",  # telephone, local
    rf"(?<![\d.]){_NO_TENS}\d{{2,4}}(?:[ .-]\d{{2,4}}){{3,}}(?![\d.])",  # telephone in pairs
    r"(?<![\d.])\d{3}[-.]\d{2,4}[-.]\d{2,4}(?![\d.])",  # 123-45-6789
    r"(?<![\d.])\d{7,}(?![\d.])",  # a long number
    r"(?<![\d.,])\d(?: \d){6,40}(?![\d.,])",  # the same, spaced out
    r"\b(?:zimmer|room|raum|pager|phone|fax|tel)\b[ :#.]{0,3}\d[\d -]{0,20}",
    r"\b(?:mrn|pat(?:ient)?[ -]?id|acc(?:ession)? ?(?:no|nr|number|#)|ssn|nhs|dob|pid|fall(?:nr|nummer|-nr)|id)\b[ :#.=]*"
    r"[^\s,;]*\d[^\s,;]*",  # labelled
    r"\b(?:mrn|ssn|nhs|dob)\b[ :#.]*\S+",
    r"#\s?[^\W_]*\d[^\s]*",
    _OLD,  # ninety-six years old
    rf"(?<!\d)(?:9\d|1[0-4]\d) ?-? ?{_YEARS}(?:[- ]?old)?|\b(?:aged?|alter|âge|edad|età|idade)[: ]*(?:9\d|1[0-4]\d)(?!\d)",
    r"(?<!\d)0?(?:9\d|1[0-4]\d)Y(?![^\W\d_])",
    rf"(?:\d+\w? +)?(?:[^\W\d_][\w.'’-]{{0,40}} +){{1,2}}(?<=[ ]){_STREET}(?![^\W_])(?: +\d+\w?)?",
    r"(?<![\d.])\d{1,5} (?-i:[A-Z][a-z]{1,30}) (?-i:St|Rd|Ave|Ln|Blvd)\b\.?",  # 12 Elm St
    r"[^\W\d_]{3,40}(?:straße|strasse|straat|gasse|platz|allee|weg|laan) +\d+\w?",
    r"\b(?:rue|calle|avenida|rua|piazza|plaza|viale) +(?:de +|del +|della +|da +|la +|le +|du +|des +)*[^\W\d_]+(?: +\d+)?",
    rf"(?P<house>(?<![^\W_])(?:(?-i:[A-ZÀ-ÝА-Я])[\w.'\u2019-]* +)?{_HOUSE}(?![^\W_])"
    rf"(?:(?: +(?:of|de|del|di|für|la|le|du|des|van|in|san|st))+ +(?-i:[A-ZÀ-ÝА-Я])[\w.'\u2019-]*"
    rf"| +(?!(?:dr|drs|dra|prof|mr|mrs|ms|miss|frau|herr|mme|sra?)\b)(?-i:[A-ZÀ-ÝА-Я][a-zß-ÿа-я])[\w.'\u2019-]*)?)",
    r"(?<![^\W\d_])(?-i:[A-ZÄÖÜÅØ])[^\W\d_]{2,30}(?:spital|klinik|klinikum|krankenhaus|ziekenhuis|hospital|sykehus)"
    r"(?![^\W_])(?: (?-i:[A-ZÄÖÜÅØ][a-zß-ÿ])[\w.'\u2019-]{0,30})?",  # Kantonsspital Baden
    r"[^\W_]{1,30} ?(?:先生|医生|医師|主治医|さん|様|氏|선생님|교수님|님|씨)(?![^\W_])",
    r"(?<![^\W_])(?:д-р|г-н|г-жа|ד[\"\u05f4]ר)\.? *[^\W\d_]+",
    r"[^\W_]{0,30}(?:病院|医院|병원|大学)",
)
_TITLES: Final = (
    r"\b(?:dr|prof|mr|mrs|ms|miss|sir|mme|mlle|sr|sra|dott|sig|dhr|mevr)\. *[^\W\d_]\S*",
    r"\b(?-i:Dr|Prof|Mr|Mrs|Ms|Miss|Sir|Mme|Mlle|Sr|Sra|Dott|Sig|Dhr|Mevr|[FfHh](?:rau|err)) +[^\W\d_]\S*",
)
IDENTITY: Final = re.compile("|".join(_IDENTITY), re.IGNORECASE)
SUSPECT: Final = re.compile("|".join((*_IDENTITY, *_TITLES)), re.IGNORECASE)

_UNIT: Final = (
    r"(?:mm2?|cm2?|cm3|mm3|m2|ml|cc|kvp?|kev|mv|mev|m?as|m?a|m?gy|cgy|msv|hz|khz|mhz|m?t|mts?|sec|s|ms|µs|us|min|mins|hr?s?|d|w|wk"
    r"|y|yr|deg|bit|px|ppm|x|th|st|nd|rd|%|mci|m?bq|gbq|kbq|mg|kg|g|mmol|hu|fps|bpm|mhg|db|f|fr|pl|plane|planes|view|views"
    r"|cu|al|sn|ag|rh|mo|ch|phase|dir|dirs|nex|avg|ph|sl)"
)
# A measure: a short number, perhaps with a unit or a size in two or three directions.
MEASURE: Final = re.compile(
    rf"(?:\d{{1,3}}(?:[.,]\d{{1,4}})?|[.,]\d{{1,3}}){_UNIT}?"
    r"|\d{1,3}(?:[.,]\d{1,2})?(?:[x*]\d{1,3}(?:[.,]\d{1,2})?){1,2}(?:mm|cm)?|\d{4}x\d{4}|[x*]\d{1,3}(?:[.,]\d{1,2})?"
    r"|\d{4}(?:ms|hz|mm|s|cgy|ml|hu|bq)|b[-=]?\d{1,4}|(?:tr|te|ti|td|fa|pld|ts|ta)[-=]?\d{1,4}"
    r"|[tf][0-9][w*]?|[clts][0-9]{1,2}|[a-z][0-9]|r[12]star|t[12]star|p[0-9]f?s?[0-9]?|v[0-9]{1,2}[a-z]?"
    r"|[bhuqdijt]\d{2}[dfhsaum]?|[bhuqidt][rvfpls]\d{2,3}[dfhsaum]?|fc\d{2}|[0-9]d[a-z]?|\d{1,2}mo|\d{1,2}[a-z]"
)
# Marks on a picture: a side, an end, a direction, a short counter.
MARK: Final = re.compile(r"[LRAPHFISWClraphfiswc]{1,3}|[+-]?\d{1,4}(?:[.,]\d{1,4})?")


def looks_identifying(text: str) -> bool:
    """True when a pattern of identity (date, long number, address, titled name) is in the text."""
    return SUSPECT.search(text) is not None
