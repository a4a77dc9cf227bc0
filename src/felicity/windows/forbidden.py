"""Workplaces and schools, where the EU AI Act prohibits emotion recognition (Art.

5(1)(f)), recognised by their words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORKPLACE = """
workplace work office factory warehouse call_centre call_center
arbeitsplatz arbeitsstatte buro fabrik lagerhalle callcenter
lieu_de_travail bureau bureaux usine entrepot centre_d'appels
lugar_de_trabajo oficina fabrica almacen
luogo_di_lavoro ufficio uffici fabbrica magazzino
local_de_trabalho escritorio armazem
loc_de_munca birou
werkplek werkplaats kantoor fabriek magazijn
arbejdsplads kontor arbetsplats arbeidsplass
tyopaikka toimisto tehdas
vinnustadur skrifstofa
biuro miejsce_pracy fabryka
pracoviste kancelar tovarna pracovisko kancelaria tovaren
delovno_mesto pisarna tovarna radno_mjesto ured tvornica
munkahely iroda gyar
darbo_vieta biuras gamykla darbavieta birojs rupnica
tookoht kontor tehas
vend_pune zyre fabrike
isyeri is_yeri ofis fabrika
работно_място офис завод фабрика рабочее_место офіс
χωρος_εργασιας γραφειο εργοστασιο
ionad_oibre oifig monarcha
post_tax_xoghol
lantoki bulego
tempat_kerja kantor pabrik gudang
"""

_EDUCATION = """
education educational school preschool university college kindergarten nursery campus polytechnic
schule hochschule universitat uni gymnasium lyzeum kita kindertagesstatte kindertagesstaette kinderkrippe
bildungseinrichtung
ecole college lycee universite creche maternelle
escuela colegio universidad guarderia
scuola universita liceo ginnasio asilo_nido
escola universidade creche jardim_de_infancia
scoala universitate liceu gradinita
school basisschool universiteit hogeschool kinderdagverblijf kleuterschool
skole universitet hojskole bornehave barnehage gymnasieskole
skola hogskola forskola
koulu yliopisto lukio paivakoti
skoli haskoli leikskoli
szkola uniwersytet przedszkole liceum politechnika
skola univerzita gymnazium materska_skola
osnovna_sola univerza vrtec skola sveuciliste univerzitet gimnazija vrtic
iskola egyetem ovoda gimnazium
mokykla universitetas darzelis gimnazija
universitate bernudarzs
kool ulikool lasteaed gumnaasium
shkolle shkolla universiteti kopsht
okul universite anaokulu
училище университет гимназия школа детска_градина университет дитячий_садок гимназија универзитет
σχολειο πανεπιστημιο γυμνασιο λυκειο νηπιαγωγειο
scoil ollscoil naionra ysgol prifysgol
skola_sekondarja universita'
eskola ikastola unibertsitate
sekolah universitas kampus madrasah pesantren taman_kanak perguruan_tinggi paud
"""

_ROOMS = "classroom lecture_hall klassenzimmer horsaal hoersaal salle_de_classe aula ruang_kelas"

_WORDS = {"workplace": _WORKPLACE, "education": _EDUCATION}
_COMPOUNDS = {
    "workplace": "buro buero kontor kantoor",
    "education": "schule schulen school skole skola skolan koulu iskola universitat universiteit universitet",
}
"""Ends of compound words, as in Grundschule, basisschool, folkeskole and Großraumbüro."""
_OPEN_TO_ALL = (
    "post office",
    "ticket office",
    "box office",
    "tourist office",
    "bureau de change",
    "bureau de poste",
    "kantor pos",
)

_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "\N{LATIN SMALL LETTER DOTLESS I}": "i"}
)


def forbidden_kind(text: str, *, rooms: bool = True) -> str | None:
    """Return ``workplace`` or ``education`` if ``text`` holds a word for one, else None.

    ``rooms``: whether rooms of a school count; as a mere name they tell little about their place.

    The function knows the languages of the European Union and some of its neighbours, and Indonesian. Capitals and
    accents do not matter. It understands plurals that are formed as in English.
    """
    words = _words(text)
    for phrase in _OPEN_TO_ALL:
        words = re.sub(rf"\b{phrase}s?\b", " ", words)
    if rooms and re.search(rf"\b(?:{'|'.join(_words(room) for room in _ROOMS.split())})s?\b", words):
        return "education"
    return next((kind for kind, pattern in _patterns().items() if pattern.search(words)), None)


def _words(text: str) -> str:
    """Return the words of ``text`` in lower case without accents, with single spaces between them."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return " ".join(re.findall(r"[^\W_]+", "".join(one for one in plain if not unicodedata.combining(one))))


@lru_cache(maxsize=1)
def _patterns() -> dict[str, re.Pattern[str]]:
    patterns = {}
    for kind, listed in _WORDS.items():
        nouns = {_words(noun) for noun in listed.split()}
        ends = "|".join(sorted(_COMPOUNDS[kind].split()))
        whole = "|".join(sorted(nouns | {_plural(noun) for noun in nouns}))
        patterns[kind] = re.compile(rf"\b(?:{whole}|\w*(?:{ends}))\b")
    return patterns


def _plural(noun: str) -> str:
    if noun.endswith("y"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("s") else f"{noun}s"
