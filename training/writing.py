"""Short made-up texts whose feeling is known, for the sentiment model.

A word's feeling comes from the list of ``vaderSentiment`` (MIT): some 6,000 words with a mean human rating from -4 to
4, to which this module adds a few words and set phrases of reviews. The words without a rating come from the names of
emoji that the same package carries (Unicode licence), from Python's manual in ``pydoc_data`` (PSF licence), and from
here.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from pydoc_data.topics import topics
from random import Random

import vaderSentiment

_WEAKEST = 0.7  # a rating closer to zero is taken for none
_DENIAL = 1.2  # what a negation without anything to turn around takes off: "it does not work"
# Words that VADER leaves out or rates as neutral, but that say much in a review. Written for this project.
_MORE = {
    2.0: "tasty flavorful crisp cosy cozy spotless reliable affordable sturdy durable flawless gripping effortless "
    "memorable refreshing authentic thoughtful spacious punctual quick quickly fast worth favorite favourite",
    -2.0: "bland stale soggy greasy overpriced pricey unreliable uncomfortable buggy laggy leaked leaks crashed "
    "tasteless flimsy shoddy slow sluggish cramped smelly noisy late unusable unreadable faulty refund clunky "
    "expensive overcooked undercooked regret unfinished cold freezes outdated unhelpful",
}
# Set phrases, whose words alone say little or the wrong thing.
_PHRASES = {
    2.5: "i like|we like|really like|can not wait|could not be happier|can not complain|well worth the money|"
    "will be back|worth every penny|would buy again|five stars|two thumbs up|money well spent|above and beyond|"
    "must see|on time|could not ask for more|no complaints|no problems|nothing to complain about|without any trouble|"
    "exceeded my expectations|never a dull moment|never let me down",
    -2.5: "don't like|do not like|didn't like|waste of time|waste of money|fell apart|stopped working|does not work|"
    "did not work|never again|want my money back|let me down|let down|one star|stay away|falls short|not worth it|"
    "nothing works|never came back|too expensive|gave up|sent it back|fell asleep|not as described|ran out of|"
    "walked out|leaves much to be desired|avoid at all costs|waited for hours|still waiting|kept us waiting|"
    "hard to use|hard to find",
}
# The words that people reach for first: drawn more often, and kept in one piece. The list above rates them.
COMMON = (
    "good great nice lovely best better love loved liked enjoy enjoyed happy glad pleased perfect excellent amazing "
    "wonderful fantastic awesome brilliant beautiful helpful friendly kindly fun funny easy clean comfortable fresh "
    "smart strong safe fair warm welcome thanks thank recommend recommended delicious satisfied interesting "
    "impressive tasty reliable quick fast worth favorite honest calm charming cheerful success win bad worse worst "
    "poor terrible horrible awful hate hated ugly sad angry boring bored broken broke dirty noisy useless rude stupid "
    "annoying annoyed disappointed disappointing disappointment wrong fail failed fails failure waste wasted problem "
    "problems pain painful sick hurt lost lose mess ruined cheated lied lie lies slow cold late refund confusing "
    "confused difficult worried scared dull weak unhappy upset nasty disgusting scam crash regret"
).split()
# Words whose rating in VADER does not fit their usual role in a sentence.
_ROLES = {"like", "no", "well", "pretty", "kind", "please", "number", "want", "certain", "certainly", "sure", "novel"}

_NEGATIONS = (
    "not never isn't wasn't aren't weren't don't doesn't didn't can't cannot couldn't won't wouldn't shouldn't hasn't "
    "haven't hardly without no nothing nobody"
).split()
_REACH = 5  # words that a negation can turn around

_NOUNS = (
    "movie film book story plot ending actor show concert song album game phone laptop camera screen battery app "
    "update website service staff waiter driver nurse teacher doctor manager team company shop store hotel room bed "
    "view breakfast meal food soup coffee pizza restaurant price quality delivery order package product device car "
    "bike train flight trip holiday weekend evening day week garden house city beach park lesson course school class "
    "job work plan answer result experience place time people family daughter son wife husband children kids dog cat "
    "toy shirt shoes lamp chair table sound music voice picture design version year line money half end"
).split()
_VERBS = (
    "is was seems seemed looks looked feels felt sounds are were became has had got made gave took went came left "
    "bought ordered said received opened tried watched read heard met asked told called paid used arrived found "
    "started finished think thought buy make take see saw know knew come give find tell work works worked look use "
    "need needed happen happened keep kept put run ran say talk talked walk walked wait waited waiting turn turned "
    "move moved bring brought hold held sit sat stand stood write wrote written speak spoke drive drove eat ate drink "
    "drank sleep slept show showed shown send sent choose chose chosen answer answered follow followed stay stayed "
    "visit visited return returned carry carried open close closed change changed check checked add added set pick "
    "picked wear wore draw drew learn learned remember remembered decide decided expect expected spend spent pull "
    "pulled push pushed fill filled build built cook cooked cut serve served sell sold charge charged order begin "
    "began end ended reach reached"
).split()
_SMALL = (
    "the a an i we you they he she it my our your their his her its this that these those and or so then also of to "
    "in on at by for from with after before about all some any every one two three more most just still again here "
    "there when while because if as than into over up out off who what which where how will would could should can "
    "may am be i'm it's we're they're i've that's he's she's you're i'll we've there's been being have do did does "
    "get go us me him them very really quite ever yet only even"
).split()
_DEGREES = ("really", "very", "so", "absolutely", "quite", "pretty", "rather", "truly", "", "", "")

# {w} is a word with a rating, {n} a noun, {v} a verb, {d} a degree or nothing, {x} any word without a rating.
_PLAIN = (
    "the {n} was {d} {w}|the {n} is {d} {w}|this is a {d} {w} {n}|it was {d} {w}|it is {d} {w}|i am {d} {w}|"
    "we were {w}|what a {w} {n}|{w} {n}|my {n} is {w}|a {d} {w} {n}|they are {d} {w}|the {n} {v} {d} {w}|"
    "i found the {n} {d} {w}|the {w} {n} {v} here|i had a {w} {n}|such a {w} {n}|he was {d} {w} with the {n}|{w}|"
    "i feel {d} {w}|the {n} and the {n} were {w}|the most {w} {n} i have ever {v}|a {w} {n} from start to finish|"
    "i {w} this {n}|i {w} it|they {w} the {n}|we {d} {w} our {n}|she {w} my {n}|i {w} you|the {n} {w} me|"
    "i {v} the {n} and {w} it|full of {w}|it is a {w}|{w} by the {n}|there is {w} in this {n}|{w} , {w} and {w}|"
    "a {w} , {w} {n}|{w} {n} , {w} {n}|the {n} was {w} and the {n} was {w}|{w} and {w}"
).split("|")
_TURNED = (
    "the {n} was not {d} {w}|the {n} wasn't {w}|it is not {w} at all|it isn't {d} {w}|i do not think it is {w}|"
    "i don't think the {n} is {w}|never {w}|i would not call it {w}|not a {w} {n}|i don't {w} the {n}|"
    "i do not {w} it|we didn't {w} the {n}|they are not {w}|i am not {w}|i was never {w}|it has no {w}|hardly {w}|"
    "there is nothing {w} about the {n}|not {w}|he doesn't {w} the {n}|the {n} were not {d} {w}|without {w}|"
    "i can't say it is {w}|i wouldn't say the {n} was {w}|they aren't {d} {w}|i couldn't {w} it|no {w} at all|"
    "you won't be {w}|i haven't been {w} by this {n}|nobody was {w}|nothing is {w}|no {w} {n}"
).split("|")
_FLAT = (
    "i {v} the {n}|the {n} {v} {x}|we {v} {x} to the {n}|it was {x}|the {x} {n} {v} the {x}|"
    "there are two {x} in the {n}|the {n} doesn't {v}|it did not {v}|they never {v} the {n}|i {v} it in the {n}|"
    "too {x}|the {n} was too {x}"
).split("|")


def gather_words() -> dict[str, float]:
    """What every word and set phrase says about feelings: VADER's list, corrected and completed."""
    package = Path(vaderSentiment.__file__).parent
    ratings: dict[str, float] = {}
    for entry in (package / "vader_lexicon.txt").read_text(encoding="utf-8").splitlines():
        word, rating = entry.split("\t")[:2]
        if re.fullmatch("[a-z]{2,}", word) and word not in _ROLES and abs(float(rating)) >= _WEAKEST:
            ratings[word] = float(rating)
    for strength, words in _MORE.items():
        ratings |= dict.fromkeys(words.split(), strength)
    for strength, phrases in _PHRASES.items():
        ratings |= dict.fromkeys(phrases.split("|"), strength)
    return ratings


def gather_neutral(ratings: Mapping[str, float]) -> list[str]:
    """Everyday words without a rating, the commonest of each source first."""
    package = Path(vaderSentiment.__file__).parent
    emoji = (package / "emoji_utf8_lexicon.txt").read_text(encoding="utf-8")
    words: list[str] = []
    for text, most in ((emoji, 1200), (" ".join(topics.values()), 1200)):
        counts = Counter(re.findall("[a-z]{3,}", text.lower()))
        words += [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))][:most]
    return [word for word in dict.fromkeys(words) if word not in ratings and word not in _NEGATIONS]


class Writer:
    """Makes up short texts whose feeling is known."""

    def __init__(self, ratings: Mapping[str, float], seed: int) -> None:
        self._ratings = ratings
        self._random = Random(seed)
        single = [word for word in ratings if " " not in word]
        self._charged = {good: [word for word in single if (ratings[word] > 0) == good] for good in (True, False)}
        self._common = {good: [word for word in COMMON if word in self._charged[good]] for good in (True, False)}
        self._phrases = [word for word in ratings if " " in word]
        self.neutral = gather_neutral(ratings)

    def text(self) -> tuple[str, float]:
        """A text of one to three sentences, and the probability that it is positive."""
        count = self._random.choices((1, 2, 3), (78, 16, 6))[0]
        good = self._random.random() < 0.5
        sentences = [self._sentence(good if self._random.random() < 0.85 else not good) for _ in range(count)]
        total = sum(self._rate(sentence) for sentence in sentences)
        ends = self._random.choices((" .", " !", "", " ..."), (60, 12, 25, 3), k=count)
        text = " ".join(" ".join(words) + end for words, end in zip(sentences, ends, strict=True))
        return text, 1 / (1 + math.exp(-total))

    def _sentence(self, good: bool) -> list[str]:
        """One or two clauses, as words and set phrases."""
        draw = self._random.random()
        if draw < 0.75:
            return self._clause(good)
        if draw < 0.87:
            return [*self._clause(not good), "but", *self._clause(good)]
        link = self._random.choice((",", ", and", ", because"))
        return [*self._clause(good), *link.split(), *self._clause(good)]

    def _clause(self, good: bool) -> list[str]:
        """Something said, with some empty words around it."""
        draw = self._random.random()
        if draw < 0.50:
            core = self._fill(self._random.choice(_PLAIN), good)
        elif draw < 0.76:
            core = self._fill(self._random.choice(_TURNED), not good)
        elif draw < 0.84:
            core = [self._random.choice(self._phrases)]
        elif draw < 0.92:
            core = self._fill(self._random.choice(_FLAT), good)
        else:
            core = self._string(good)
        return [*self._filler(), *core, *self._filler()]

    def _fill(self, template: str, good: bool) -> list[str]:
        """A template with its blanks filled in."""
        blanks = {
            "{w}": lambda: self._word(good),
            "{n}": lambda: self._random.choice(_NOUNS),
            "{v}": lambda: self._random.choice(_VERBS),
            "{d}": lambda: self._random.choice(_DEGREES),
            "{x}": self._empty,
        }
        words = [blanks[word]() if word in blanks else word for word in template.split()]
        return [word for word in words if word]

    def _empty(self) -> str:
        """A word without a rating; now and then one that does not exist, from the parts of two that have one.

        Such words teach that it takes all the pieces of a word, and no others, to say anything.
        """
        if self._random.random() < 0.7:
            return self._random.choice(self.neutral)
        head, tail = self._word(True), self._word(False)
        if self._random.random() < 0.5:
            head, tail = tail, head
        if self._random.random() < 0.2:
            head = self._random.choice(("no", "not"))  # "noise" and "note" deny nothing
        word = head[: self._random.randint(2, 4)] + tail[-self._random.randint(2, 4) :]
        return word if word not in self._ratings else "thing"

    def _word(self, good: bool) -> str:
        """A word with a rating: a common one, or else of two drawn the shorter, which is likely the commoner."""
        if self._random.random() < 0.25:
            return self._random.choice(self._common[good])
        return min(self._random.choices(self._charged[good], k=2), key=len)

    def _filler(self) -> list[str]:
        """A few words that say nothing."""
        count = self._random.choice((0, 0, 0, 1, 2, 3, 5))
        kinds = self._random.choices("snve,", (40, 12, 14, 28, 6), k=count)
        make: dict[str, Callable[[], str]] = {
            "s": lambda: self._random.choice(_SMALL),
            "n": lambda: self._random.choice(_NOUNS),
            "v": lambda: self._random.choice(_VERBS),
            "e": self._empty,
            ",": lambda: ",",
        }
        return [make[kind]() for kind in kinds]

    def _string(self, good: bool) -> list[str]:
        """Words in no order, one or two of them with a rating, perhaps with a negation somewhere."""
        words = self._filler() + self._filler() + [self._word(good)]
        words += [self._word(self._random.random() < 0.5)] * (self._random.random() < 0.3)
        words += [self._random.choice(_NEGATIONS)] * (self._random.random() < 0.3)
        self._random.shuffle(words)
        return words

    def _rate(self, words: Sequence[str]) -> float:
        """The sum of the ratings; see the module's description for what a negation does."""
        total, reach, waiting = 0.0, 0, False
        for word, following in zip(words, [*words[1:], ","], strict=True):
            rating = self._ratings.get(word, 0.0)
            if word in (",", "but"):
                total, reach, waiting = total - waiting * _DENIAL, 0, False
                if word == "but":
                    total *= 0.4
            elif word in _NEGATIONS:
                reach, waiting = _REACH, True
            elif word == "too" and following not in self._ratings and following != ",":
                total -= _DENIAL
            elif rating:
                total += -0.75 * rating if reach > 0 else rating
                waiting = False
            reach -= word not in _NEGATIONS
        return total - waiting * _DENIAL
