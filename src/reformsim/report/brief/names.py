"""What things are called in a brief, in both languages, from their declarations."""

from reformsim import measures, outcomes, uncertainties
from reformsim.city import AGE_GROUPS, COMMUNITY_TYPES, COMMUNITY_TYPES_ZH, CityConfig
from reformsim.declared import capital, plain
from reformsim.experiment import design
from reformsim.experiment.sampling import CHANCE
from reformsim.report.chinese import chinese
from reformsim.report.sentences import Both
from reformsim.report.study import Study, english

_AGES = (
    Both("35 岁以下居民", "residents under 35"),
    Both("35–59 岁居民", "residents of 35 to 59"),
    Both("60 岁及以上居民", "residents of 60 and over"),
)
#: Words that designs put into the names of scenarios.
_WORDS = {design.NONE: "无", design.ALL: "全部", design.STAGED: "（分批）", design.BASE: "基准"}


class Names:
    """Names of one study's scenarios, outcomes, places and uncertainties."""

    def __init__(self, study: Study) -> None:
        """Look up what the cities of the study call their districts."""
        self.study = study
        cities: dict[str, CityConfig] = {s.city.name: s.city for s in study.scenarios.values()}
        self._districts = {u.name: u.name_zh for city in cities.values() for u in city.census()}

    def scenario(self, name: str) -> Both:
        """Name a scenario, factor, label, group or part of a reform.

        What has no name of its own is named by its parts: ``density=rural layout=p_median``.
        """
        if name in self.study.experiment.zh:
            return Both(self.study.experiment.zh[name], english(name))
        words = name.split(" ")
        zh = " ".join(self._zh(word.rpartition("=")[2]) for word in words)
        return Both(zh, (", " if "=" in name else " ").join(map(_english, words)))

    def _zh(self, word: str) -> str:
        if word in self.study.experiment.zh:
            return self.study.experiment.zh[word]
        if word in measures.BY_NAME:
            return measures.BY_NAME[word].zh
        return _WORDS.get(word, plain(word))

    def pair(self, scenario: str, reference: str) -> Both:
        """Name a comparison."""
        a, b = self.scenario(scenario), self.scenario(reference)
        return Both(f"{a.zh}，与{b.zh}相比", f"{a.en}, against {b.en}")

    def outcome(self, name: str) -> Both:
        """Name an outcome."""
        return outcome(name)

    def place(self, level: str, place: str) -> Both:
        """Name an age group, a type of community, a district or a subdistrict."""
        if level == "age":
            return _AGES[AGE_GROUPS.index(place)]
        if level == "community_type":
            return Both(COMMUNITY_TYPES_ZH[COMMUNITY_TYPES.index(place)], plain(place))
        if level == "district":
            return Both(self._districts.get(place, place), place)
        return Both(self._subdistrict(place), place)

    def _subdistrict(self, place: str) -> str:
        """Put the district's name in a subdistrict's into Chinese: ``Wuhou Town 03``."""
        for district, zh in self._districts.items():
            if place.startswith(f"{district} "):
                rest = place.removeprefix(f"{district} ")
                return zh + rest.replace("Subdistrict ", "街道").replace("Town ", "镇")
        return place

    def uncertainty(self, name: str) -> Both:
        """Name an uncertainty by its meaning."""
        if name == CHANCE:
            return Both("随机性本身", "chance itself")
        known = uncertainties.BY_NAME.get(name)
        if known is None:
            return Both(plain(name), plain(name))
        return Both(known.meaning_zh, known.meaning)

    def unit(self, unit: str) -> Both:
        """Name a unit."""
        return Both(chinese(unit), unit)


def outcome(name: str) -> Both:
    """Name an outcome."""
    known = outcomes.BY_NAME[name]
    return Both(known.meaning_zh, capital(known.label))


def _english(word: str) -> str:
    """Name one part of a scenario's name: ``density=rural``, or a measure alone."""
    factor, _, label = word.rpartition("=")
    return f"{english(factor)} {english(label)}".strip()
