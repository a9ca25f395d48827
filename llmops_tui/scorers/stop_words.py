"""Words that say nothing by themselves, in six languages; and a few ways of writing the same.

In other languages short function words count as ordinary words, of which a part may be missing anyway.
"""

from __future__ import annotations

from functools import cache

_TEXT = """
a an the this that these those i i'm i'll i've i'd me my mine we we're we'll we've us our ours you you're
you'll you've your yours he him his she her hers it it's its they they're them their theirs who whom whose
which what when where why how and or but nor so if then than because as of at by for with about against
between into through during before after above below to from up down in out on off over under again further
once here there all any both each few more most other some such no not only own same too very can can't
cannot could couldn't will won't would wouldn't shall should may might must do does did doesn't don't didn't
doing done have has had having haven't hasn't be am is are was were been being isn't aren't wasn't weren't
also just please yes sure okay ok well however therefore within without upon per via while until let let's
get gets got one every since yet still even der die das den dem des ein eine einen einem einer eines und
oder aber nicht kein keine keinen ist sind war waren wird werden wurde wurden hat haben hatte kann können
könnte muss müssen soll sollte darf dürfen mit von vom zu zum zur im am auf aus bei für über unter nach vor
durch gegen ohne um bis sie er es ich wir ihr ihre ihren ihrem ihrer ihnen uns mich dich sich mein dein sein
seine dass wenn als wie was wer wo auch noch nur schon dann denn doch ja nein diese dieser dieses diesen an
in so man le la les un une des du de et ou mais ne pas plus est sont était être a ont avoir peut peuvent
pouvez avec pour par sur sous dans en au aux ce cet cette ces il elle ils elles nous vous je tu on se sa son
ses leur leurs votre vos notre nos qui que quoi dont où si oui non y d'un d'une qu'il
het een en of maar niet geen is zijn was waren wordt worden werd heeft hebben had kan kunnen kunt moet
moeten mag met van voor door op aan bij naar uit over onder tot om te ten er dat dit die deze hij zij ze u
uw je jij jouw we wij ons onze ik mij zich ook nog al dan wel als hoe wat wie waar
el los las una unos unas y o pero no es son era fue ser está están ha han haber puede pueden con para por
sobre entre en del al se su sus lo le les este esta estos estas ese esa que quien como cuando donde si sí
muy también más yo tú usted nosotros
il lo gli una uno e o ma non è sono era essere ha hanno può possono con per tra fra su nel nella dal dalla
del della dei delle al alla che chi come quando dove si sì anche più io tu lei noi voi loro questo questa
"""

#: Signs and words for the same thing: the first stands for all.
_SAME = (
    ("%", "percent", "per cent", "prozent", "pourcent", "procent"),
    ("€", "euro", "euros", "eur"),
    ("$", "dollar", "dollars", "usd"),
    ("£", "pound", "pounds", "gbp"),
)

#: Of the stop words, those that tell German from the others.
_GERMAN = "der die das den dem und ist sind nicht ein eine einen mit für auf von zu sie wird"
_OTHERS = "the of and to is are you for with le la les et est el los het een niet il che"

_NUMBERS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
"""


@cache
def stop_words() -> frozenset[str]:
    return frozenset(_TEXT.split())


@cache
def same_words() -> dict[str, str]:
    return {word: group[0] for group in _SAME for word in group}


@cache
def number_words() -> dict[str, int]:
    """English number words; those of other languages are ordinary words."""
    return {word: n if n < 20 else 10 * (n - 18) for n, word in enumerate(_NUMBERS.split())}


@cache
def telling_words() -> tuple[frozenset[str], frozenset[str]]:
    """Words that are German, and words that are not."""
    return frozenset(_GERMAN.split()), frozenset(_OTHERS.split())
