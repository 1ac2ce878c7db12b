"""What says nothing as the words of a link, by language: WCAG 2.2 technique G91 and failure F63."""

from __future__ import annotations

VAGUE = {
    "en": "here|click|click here|click this|press here|tap here|more|read more|read on|see more|view more|"
    "find out more|learn more|more info|more information|further information|info|details|more details|"
    "link|this link|this|this page|"
    "this article|page|article|website|web site|go|continue|continue reading|full story|download|video|source|see here|"
    "read here|read this|visit",
    "fr": "ici|cliquez|cliquez ici|cliquer ici|plus|en savoir plus|lire|lire plus|lire la suite|la suite|suite|voir|"
    "voir plus|voir ici|plus d'informations|plus d'infos|informations|détails|lien|ce lien|cette page|page|article|"
    "site|site web|site internet|télécharger|vidéo|source|découvrir|consulter",
    "es": "aquí|clic aquí|haga clic aquí|haz clic aquí|pulse aquí|pinche aquí|más|leer|leer más|ver|ver más|saber más|"
    "más información|información|seguir leyendo|continuar|detalles|enlace|este enlace|esta página|página|artículo|"
    "sitio|sitio web|descargar|vídeo|video|fuente|consultar",
    "ar": "هنا|انقر|انقر هنا|اضغط هنا|المزيد|للمزيد|اقرأ المزيد|اقرأ|معرفة المزيد|لمزيد من المعلومات|"
    "المزيد من المعلومات|التفاصيل|رابط|هذا الرابط|الرابط|هذه الصفحة|الموقع|تحميل|فيديو|المصدر",
}  # fmt: skip
_SAYS_NOTHING = {language: frozenset(words.split("|")) for language, words in VAGUE.items()}


def says_nothing(text: str, language: str) -> bool:
    """Whether these words, alone, leave open where the link leads. Languages without a list are taken as English."""
    words = text.casefold().replace("’", "'").strip(" .:!…»›>→-–—[]()")
    known = _SAYS_NOTHING.get(language.partition("-")[0], _SAYS_NOTHING["en"])
    return not words or words in known
