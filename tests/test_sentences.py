"""Sentences of the brief against planted numbers: the right words, and never too many."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reformsim.experiment.analysis import Contrast, Estimate, Lead, verdict
from reformsim.experiment.responses import Response, Trait
from reformsim.experiment.robustness import robustness
from reformsim.report import sentences
from reformsim.report.sentences import Both

NAME = Both("满意度", "Satisfaction")
CLAIMS = ("更好", "更差", "better", "worse", "improve", "改善")


def estimate(value, low, high, better="higher", base=2.0, n=8, unit="days", **more) -> Estimate:
    kind = Contrast if more else Estimate
    return kind(
        outcome="x",
        unit=unit,
        better=better,
        n=n,
        base=base,
        value=value,
        low=low,
        high=high,
        verdict=verdict(better, n, low, high, base),
        **more,
    )


def said(e: Estimate, **more) -> Both:
    return sentences.change(e, NAME, **more)


@pytest.mark.parametrize(
    ("low", "high", "better", "zh", "en"),
    [
        (0.4, 0.6, "higher", ("上升 0.50 天（基准的 25%）", "更好"), ("rises by 0.50", "better")),
        (-0.6, -0.4, "higher", ("下降 0.50 天", "更差"), ("falls by 0.50 days", "worse")),
        (-0.6, -0.4, "lower", ("下降 0.50 天", "更好"), ("falls by 0.50 days", "better")),
        (0.4, 0.6, "lower", ("上升 0.50 天", "更差"), ("rises by 0.50 days", "worse")),
        (0.4, 0.6, "neither", ("上升", "无所谓好坏"), ("rises", "neither good nor bad")),
        (-0.4, 0.6, "higher", ("看不出明确变化", "包含零"), ("no clear change", "holds zero")),
        (0.0, 0.6, "higher", ("看不出明确变化", "包含零"), ("no clear change", "holds zero")),
        (0.0, 0.0, "higher", ("没有变化",), ("no change",)),
    ],
)  # fmt: skip
def test_clear_unclear_and_zero_are_told_apart(low, high, better, zh, en):
    text = said(estimate((low + high) / 2, low, high, better))
    assert all(words in text.zh for words in zh)
    assert all(words in text.en for words in en)


@given(
    st.floats(-5, 5), st.floats(0, 5), st.sampled_from(["higher", "lower", "neither"]),
    st.sampled_from([0.0, 0.5, 100.0]), st.integers(0, 9),
    st.sampled_from(["days", "0–1", "share of needs", "per year", "yuan"]),
)  # fmt: skip
def test_no_claim_where_the_interval_holds_zero(value, half, better, base, n, unit):
    """Better or worse is said exactly where the interval excludes zero, in both languages."""
    low, high = (value - half, value + half) if n > 1 else (math.nan, math.nan)
    e = estimate(value, low, high, better, base, n, unit)
    text = said(e)
    claims = any(word in part for word in CLAIMS for part in text)
    assert claims == (e.verdict in ("better", "worse"))
    if claims:
        assert ("更好" in text.zh) == ("better" in text.en) == (e.verdict == "better")
        assert ("上升" in text.zh) == ("rises" in text.en) == (value > 0)
    assert "nan" not in text.zh + text.en


def test_a_small_clear_change_says_how_small():
    text = said(estimate(0.00012, 0.00010, 0.00014, base=0.5, unit="0–1"))
    assert "0.000120" in text.zh and "0.024%" in text.zh and "很小" in text.zh
    assert "0.000120" in text.en and "clear but small" in text.en
    assert "很小" not in said(estimate(0.5, 0.4, 0.6)).zh


def test_a_reversal_is_named_and_only_a_clear_one():
    fall = estimate(-0.5, -0.6, -0.4)
    assert "预期方向相反" in said(fall, expected="up").zh
    assert "reverse of what was declared" in said(fall, expected="up").en
    assert "reverse" not in said(fall, expected="down").en
    assert "reverse" not in said(fall).en
    assert "reverse" not in said(estimate(-0.1, -0.6, 0.4), expected="up").en


@pytest.mark.parametrize(("value", "zh", "en"), [(0.5, "高 0.5", "0.5"), (-0.5, "低", "lower")])
def test_a_single_run_says_nothing_about_certainty(value, zh, en):
    text = said(estimate(value, math.nan, math.nan, n=1))
    assert zh in text.zh and "不能说明把握" in text.zh
    assert en in text.en and "nothing is said about certainty" in text.en


def test_without_runs_there_is_nothing_to_compare():
    text = said(estimate(math.nan, math.nan, math.nan, n=0))
    assert text == ("满意度：没有可比较的运行。", "Satisfaction: there are no runs to compare.")


def test_shares_are_told_in_percentage_points_and_zero_bases_without_a_percentage():
    text = said(estimate(0.03, 0.02, 0.04, base=0.0, unit="share of needs"))
    assert "3.0 个百分点，" in text.zh and "3.0 percentage points, which" in text.en


def test_a_verdict_that_the_correction_takes_back_is_marked():
    about = {"scenario": "a", "reference": "b", "mean": 1.0, "variance_reduction": 1.0, "p": 0.04}
    e = estimate(0.5, 0.4, 0.6, holm=0.2, **about)
    assert not sentences.held(e) and sentences.held(replace(e, holm=0.01))
    assert "Holm" in said(e, holds=False).zh and "Holm" in said(e, holds=False).en
    unclear = estimate(0.5, -0.4, 1.6, holm=0.9, **about)
    assert sentences.held(unclear), "there is no verdict to take back"


def test_leads_that_are_no_leads_are_ties():
    about = {"outcome": "x", "unit": "days", "better": "lower", "n": 4, "base": 3.0}
    names = Both("", ""), Both("甲", "A"), Both("乙", "B")
    lead = Lead(
        **about, value=1, low=0.5, high=1.5, verdict="clear", group="g", first="a", runner_up="b"
    )
    assert "甲居首，领先乙 1.00 天" in sentences.lead(lead, *names).zh
    tie = sentences.lead(replace(lead, low=-0.5, verdict="tie"), *names)
    assert "难分" in tie.zh and "cannot be told apart" in tie.en
    alone = sentences.lead(replace(lead, low=math.nan, verdict="one run"), *names)
    assert "nothing about certainty" in alone.en


def futures(values, better="higher") -> Both:
    response = Response(Trait("x", "days", better), "a", "b", values[:, None])
    return sentences.futures(robustness(response), NAME)


def test_shares_of_futures_say_most_only_where_the_interval_does():
    good = np.r_[np.ones(90), -np.ones(10)]
    assert "90%" in futures(good).zh and "多数更好" in futures(good).zh
    assert "better in most" in futures(good).en
    assert "多数更差" in futures(-good).zh and "worse in most" in futures(-good).en
    assert "多数更差" in futures(good, "lower").zh
    assert "多数更高" in futures(good, "neither").zh and "better" not in futures(good, "neither").en
    even = np.r_[np.ones(52), -np.ones(48)]
    assert "说不准" in futures(even).zh and "cannot be told" in futures(even).en


def test_futures_without_a_change_are_not_worse():
    mostly_ties = np.r_[np.zeros(95), np.ones(5)]
    assert "说不准" in futures(mostly_ties).zh and "in most" not in futures(mostly_ties).en
    assert "没有变化" in futures(np.zeros(20)).zh
    lost = np.r_[np.ones(60), np.full(40, np.nan)]
    assert "另有 40 个未来没有结果" in futures(lost).zh
    assert "40 more futures have no result" in futures(lost).en
    assert "没有可比较的未来" in futures(np.full(5, np.nan)).zh


def test_years_tell_from_when_a_change_lasts():
    lasting = sentences.years([(1, "unclear"), (2, "better"), (3, "better")], NAME)
    assert "第 2 年起" in lasting.zh and "from year 2" in lasting.en
    broken = sentences.years([(1, "better"), (2, "unclear"), (3, "better")], NAME)
    assert "from year 3" in broken.en
    gone = sentences.years([(1, "worse"), (2, "unclear")], NAME)
    assert "no clear change that lasts" in gone.en and "year 1 only" in gone.en
    assert "只在第 1 年明确" in gone.zh


def test_losers_are_named_with_what_chance_would_show():
    some = sentences.losers(NAME, [Both("老旧院落", "old courtyard")], 3, 40)
    assert "明确更差 1 个（老旧院落）" in some.zh and "约 1.0 个" in some.zh
    assert "clearly worse off: 1 (old courtyard)" in some.en and "cannot be told: 36" in some.en
    none = sentences.losers(NAME, [], 0, 10)
    assert "明确更差 0 个，" in none.zh and "clearly worse off: 0;" in none.en
