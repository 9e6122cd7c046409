"""Chinese for what is said of a file that cannot be used: one entry for each message.

``{}`` stands for what a message names, in the order of the English; a Chinese text that needs
another order numbers it, ``{1}``. Names of fields, words of a file and its values stay as written.
A test holds the catalogue to the messages of the code.
"""

import re

from reformsim.config.document import ConfigError, Fault

#: Said at the end of a message.
_TAILS = (
    (re.compile(r", did you mean (.+?)\?"), r"；是否指 \1？"),
    (re.compile(r" \(allowed: (.*)\)$"), r"（可用：\1）"),
    (re.compile(r" \(quotes make it text\)$"), "（加引号即为文字）"),
    (re.compile(r" \(`reformsim (\w+)` lists them\)$"), r"（用 `reformsim \1` 查看）"),
)

#: Words that stand for a value, a type or a range within a message.
_WORDS = {
    "true or false": "true 或 false", "a whole number": "整数", "a number": "数字", "text": "文字",
    "a list": "列表", "keys with values": "带值的键", "nothing": "空值", " or ": "或",
    "at least ": "至少为 ", "at most ": "至多为 ", "above ": "大于 ", "below ": "小于 ",
    "in range": "在范围内", "in [": "在 [", "in (": "在 (",
    "available: ": "现有：", "there is none": "其中为空",
}  # fmt: skip

MESSAGES: dict[str, str] = {
    # reading a file
    "expected keys with values at the top, got {}": "顶层应为带值的键，实为{}",
    "a folder; expected a YAML file": "这是文件夹；应为 YAML 文件",
    "no such file": "没有此文件",
    "no such file: {}": "没有此文件：{}",
    "cannot be read: {}": "无法读取：{}",
    "not UTF-8: save the file in this encoding": "不是 UTF-8：请以此编码保存",
    "not valid YAML: a tab; indent with spaces": "不是有效的 YAML：含制表符；请用空格缩进",
    "not valid YAML: the character {} is not allowed": "不是有效的 YAML：不允许字符 {}",
    "not valid YAML: an escape that is no character (the last is U+10FFFF)":
        "不是有效的 YAML：转义不对应任何字符（最大为 U+10FFFF）",
    "not valid YAML: text with a colon needs quotes ({})":
        "不是有效的 YAML：含冒号的文字须加引号（{}）",
    "not valid YAML: a line must read `key: value` ({})":
        "不是有效的 YAML：每行应写作 `键: 值`（{}）",
    "not valid YAML: a quotation mark is not closed ({})": "不是有效的 YAML：引号未闭合（{}）",
    "not valid YAML: a comma or a closing bracket is missing ({})":
        "不是有效的 YAML：缺少逗号或右括号（{}）",
    "not valid YAML: a bracket is not closed, or a value is missing ({})":
        "不是有效的 YAML：括号未闭合，或缺少值（{}）",
    "not valid YAML: keys of one level must start in the same column ({})":
        "不是有效的 YAML：同级的键须从同一列开始（{}）",
    "not valid YAML: a file holds one document ({})":
        "不是有效的 YAML：一个文件只含一份文档（{}）",
    "not valid YAML: text that starts with a sign needs quotes ({})":
        "不是有效的 YAML：以符号开头的文字须加引号（{}）",
    "not valid YAML: use single quotes, or double the backslash ({})":
        "不是有效的 YAML：请用单引号，或将反斜杠写两次（{}）",
    "not valid YAML: {}": "不是有效的 YAML：{}",
    "the file is empty; expected keys with values": "文件为空；应有带值的键",
    "the file is empty; expected a line of names": "文件为空；应有一行列名",
    "the alias *{} is not allowed: write the value out": "不允许别名 *{}：请写出其值",
    "the tag {} is not allowed": "不允许标签 {}",
    "a whole number beyond 64 bits": "整数超出 64 位",
    "half a surrogate pair in {}": "{} 中有半个代理对",
    "nested deeper than {} levels": "嵌套超过 {} 层",
    "a key must be a word": "键须为一个词",
    "duplicate key (first on line {})": "键重复（首次出现在第 {} 行）",
    "no valid {}: {}": "不是有效的 {}：{}",
    "missing, but required: a governance file lists its steps here":
        "缺少必填项：治理文件在此列出步骤",
    "no {} in configs/{} ({})": "configs/{1} 中没有 {0}（{2}）",
    "every column needs a name of its own on the first line": "第一行须给每列一个不同的名称",
    "no CSV: {}": "不是 CSV：{}",
    "{} cells, but {} columns": "有 {} 个单元格，但有 {} 列",
    # keys, types, ranges
    "missing, but required": "缺少必填项",
    "unknown key": "未知的键",
    "must be one of {}": "须为其中之一：{}",
    "must be {}, got {}": "须{}，实为 {}",
    "must be finite, got {}": "须为有限值，实为 {}",
    "must have {} or more that are valid": "须有 {} 项或更多有效内容",
    "must not be empty": "不得为空",
    "expected {}, got {}": "应为{}，实为 {}",
    "write true or false, not {}": "请写 true 或 false，而不是 {}",
    "no key of a scenario, an experiment, a city or a governance file":
        "没有方案、实验、城市或治理文件的任何键",
    # a city
    "counts of {} subdistricts and {} towns, but the units list {} and {}":
        "数量为 {} 个街道、{} 个镇，但单位列出 {} 个与 {} 个",
    "{} appears twice": "{} 出现两次",
    "residents_from exceeds residents_to": "residents_from 大于 residents_to",
    "the sample takes no subdistrict and no town": "样本未取任何街道或镇",
    "the list is empty": "列表为空",
    "{}, but the subdistricts list {}": "{}，但街道列出 {}",
    "fewer than the {} communities": "少于社区数 {}",
    "fewer than the {} subdistricts and towns": "少于街道与镇的总数 {}",
    "{} of {} {}: give it for all or for none": "{1} 个中只有 {0} 个已给出（{2}）：须全给或全不给",
    "two places at {}, {}": "{}，{} 处有两个地点",
    "unknown unit {}; known: {}": "未知的单位 {}；现有：{}",
    "{} has {} subdistricts and {} towns, not {} and {}":
        "{} 有 {} 个街道、{} 个镇，而非 {} 个与 {} 个",
    "{} subdistricts cannot give each of the {} units one (a city of towns only has 0 subdistricts "
    "and a town for each unit)":
        "{} 个街道不足以给 {} 个单位各一个（只有镇的城市有 0 个街道，每个单位一个镇）",
    "more subdistricts and towns ({}) than people ({})": "街道与镇（{}）多于居民（{}）",
    "no place for them: every unit exceeds spread.no_towns_above":
        "无处安放：每个单位都超过 spread.no_towns_above",
    "{} people: a grid has 1 to {} of them": "{} 人：每个网格为 1 至 {} 人",
    "{}, but the subdistricts' grid workers sum to {}": "{}，但各街道网格员合计 {}",
    "{} leaves none to subdistricts without grid workers": "{} 没有给未写网格员的街道留下名额",
    "older_mean leaves no need to the other age groups": "older_mean 没有给其他年龄组留下需求",
    "cv is below what the means of the age groups imply": "cv 低于各年龄组均值所隐含的离散",
    "{}, but its {} sum to {}": "{}，但其 {} 合计 {}",
    "{} leaves none to {} without a figure": "{} 没有给未写数字的 {} 留下余额",
    "shares sum to {}, not 1": "各项占比之和为 {}，应为 1",
    "a density of 0": "密度为 0",
    "density_from must fall from dense to suburban to rural, where it is 0":
        "density_from 须自 dense、suburban 至 rural 递减，末项为 0",
    "{} residents need about {} GB of memory, {} GB are free: take fewer units, or a sample":
        "{} 名居民约需内存 {} GB，现有 {} GB：请减少单位，或只取样本",
    # a scenario, a governance
    "unknown measure {}": "未知的措施 {}",
    "must be after the first day, {}, got {}": "须晚于首日 {}，实为 {}",
    "the layout `list` needs at least one site": "布局 `list` 至少需要一个站点",
    "only the layout `list` takes sites, not `{}`": "只有布局 `list` 使用 sites，`{}` 不使用",
    "give `days` or `years`, not both": "`days` 与 `years` 只写其一",
    "must exceed the warm-up of {} days, got {}": "须大于预热期 {} 天，实为 {}",
    "unknown uncertainty": "未知的不确定性",
    "unknown uncertainty {}": "未知的不确定性 {}",
    "day {} lies in the warm-up, which all scenarios share without the reform: the first possible "
    "day is {}": "第 {} 天在预热期内，其间各方案都没有改革：最早可为第 {} 天",
    "day {} is after the last day, {}": "第 {} 天晚于最后一天 {}",
    "measure {}: {}": "措施 {}：{}",
    "must be in [{}, {}] ({}), got {}": "须在 [{}, {}] 之内（{}），实为 {}",
    "must be in [{}, {}]": "须在 [{}, {}] 之内",
    # an experiment
    "unknown outcome {}": "未知的结果 {}",
    "factors take the place of `scenarios` and `baseline`": "因子取代 `scenarios` 与 `baseline`",
    "`effects` needs two labels in every factor, no `within`":
        "`effects` 要求每个因子恰有两个水平，且没有 `within`",
    "`groups` needs `within` in the design": "`groups` 要求设计中有 `within`",
    "a comparison needs two or more": "比较至少需要两个",
    "with fewer than two scenarios nothing is compared": "不足两个方案，无从比较",
    "a calibration has none, it runs the base alone": "校准不含方案，只运行基础设定",
    "nothing is left to vary": "没有可变动的项",
    "{} is fixed elsewhere in the file": "{} 已在文件别处固定",
    "its values are those of the region": "其取值由区域给定",
    "{} of the region is not among them": "区域中的 {} 不在其中",
    "advice makes its own, bundles on the `reform` of the base":
        "建议自行组合方案，即在基础的 `reform` 之上加措施",
    "its steps must not name places, the waves do": "其步骤不得写地点，地点由批次给出",
    "has no measure to try": "没有可试的措施",
    "a pilot keeps its panel and the headlines": "试点只保留面板与主要结果",
    "the city has {} {}, of which two must stay without the reform: at most {}":
        "该城市有 {} 个 {}，其中两个须不改革：至多 {}",
    "begins on day {}, within a month; months near it begin on days {} and {}":
        "自第 {} 天开始，不在月初；邻近月份始于第 {} 天与第 {} 天",
    "there are {} months before the reform, on day {}": "改革（第 {1} 天）之前只有 {0} 个月",
    "there are {} months after it; raise `years`": "其后只有 {} 个月；请增大 `years`",
    "must name each measure of {} once: {}": "须将 {} 的每项措施各写一次：{}",
    "this name means something else": "此名称另有含义",
    "needs two or more parts": "至少需要两个部分",
    "wanted are an empty baseline and the reform, no more": "只需一个空的基准与改革方案",
    "must differ from the baseline by its reform alone": "与基准只能在改革上不同",
    "must be a scenario other than the baseline": "须为基准以外的方案",
    "only comparisons of scenarios can go on until they are precise":
        "只有方案比较可以运行到足够精确为止",
    "with `until` from its pilot of {} to its max of {}":
        "有 `until` 时，须在其先导次数 {} 与上限 {} 之间",
    "{} is not drawn of a design of kind {}, which has {}": "{1} 设计没有图 {0}；可用：{2}",
    "every row needs a value in every column": "每行每列都须有值",
    "neither way of {} is better, so none is advised": "{} 没有优劣方向，因此不作建议",
    "{} is the cost, which is always told": "{} 即成本，总会报告",
    "bootstrap_t is for comparisons with fixed replications": "bootstrap_t 用于重复次数固定的比较",
    "bootstrap_t needs 20 replications or more": "bootstrap_t 至少需要 20 次重复",
    "{} is no share of cases, of which `cases` could be sampled: take `cases: [all]`, or "
    "some of {}":
        "{} 不是事项的比例，无法按 `cases` 抽样：请写 `cases: [all]`，或改用：{}",
    "names every factor, so that nothing is left to compare": "写入了全部因子，无可比较",
    "a fraction needs two labels in every factor, no `within`":
        "部分析因要求每个因子恰有两个水平，且没有 `within`",
    "give these or `resolution`, not both": "此项与 `resolution` 只写其一",
    "two main effects could not be told apart": "有两个主效应无法区分",
    "each must name a place, and no place may come twice": "每批须写地点，且地点不得重复",
    "{} waves need two units each, {} or more": "{} 批各需两个单位，至少 {} 个",
    "the last wave begins after {} months, and must be seen": "末批在 {} 个月后开始，须在观察期内",
    "`replications` says how often a world is run": "每个情景运行几次由 `replications` 给定",
    "needs at least two labels": "至少需要两个水平",
    "no factor {}": "没有因子 {}",
    "must name two or more factors that are not generated": "须写两个以上未被生成的因子",
    "a value comes twice": "有值重复",
    "one is named twice": "有一项重复",
    "`uncertainties: calibrated` needs a table from `reformsim calibrate`":
        "`uncertainties: calibrated` 需要 `reformsim calibrate` 得出的表",
    "the design has {} points only": "该设计只有 {} 个情景点",
    "only {} points are run": "只运行 {} 个情景点",
    "must be a power of 2, where the sequence is balanced": "须为 2 的幂，序列方才均衡",
    "a pawn takes none, a latin_hypercube does": "pawn 不使用此项，latin_hypercube 使用",
    "{} slices need at least {}": "{} 个分段至少需要 {}",
    "a search curve needs two or more": "搜索曲线至少需要两项",
    "is not among the uncertainties of the design": "不在该设计的不确定性之中",
    "must be two rising numbers in [{}, {}]": "须为 [{}, {}] 内两个递增的数",
    "unknown fact {} (`reformsim facts`)": "未知的事实 {}（用 `reformsim facts` 查看）",
    "no run tells {} (`reformsim facts`, `reformsim outcomes`)":
        "运行不报告 {}（用 `reformsim facts`、`reformsim outcomes` 查看）",
    "none is to be calibrated to": "没有用于校准的目标",
    "no such target": "没有此目标",
    "must be at least 0": "至少为 0",
    "must name one or more, each once": "至少写一项，且不得重复",
    "each must lie above 0 and not above 1": "每项须大于 0 且不大于 1",
    "must not be below the pilot of {} replications": "不得少于先导的 {} 次重复",
    "must be above low, {}": "须大于 low（{}）",
    "must lie in [{}, {}]": "须在 [{}, {}] 之内",
    "must be `advice` here; `reformsim run` makes a `{}`":
        "此处须为 `advice`；`{}` 请用 `reformsim run`",
    # where a measure helps and harms
    "the file must be named {}, not {}": "文件名须为 {}，而非 {}",
    "must not hold {}, which is what is tried": "不得含 {}，它正是受试的措施",
    "of {}, neither way is better: say `better` in `{}`":
        "{} 没有优劣方向：请在 `{}` 中写 `better`",
    # which column is what
    "one or several signs, none of them blank": "一个或多个符号，不得为空白",
    "{} names no department": "{} 没有写明部门",
    "no category of the model (these are: {})": "模型没有此类别（现有：{}）",
    "no time zone {}; one is Asia/Shanghai": "没有时区 {}；例如 Asia/Shanghai",
    "{} is also under {}": "{} 也写在 {} 之下",
    "columns.satisfaction needs words here": "有 columns.satisfaction 时此处须写用词",
}  # fmt: skip


def _pattern(message: str) -> re.Pattern[str]:
    return re.compile("(.+?)".join(map(re.escape, message.split("{}"))), re.DOTALL)


#: The more of a message is fixed, the earlier it is tried.
_PATTERNS = [
    (_pattern(en), zh)
    for en, zh in sorted(MESSAGES.items(), key=lambda item: -len(item[0].replace("{}", "")))
]


def told(message: str) -> str:
    """Return a message in Chinese; one that is not in the catalogue stays as it is."""
    text, said_last = message, ""
    for pattern, zh in _TAILS:
        found = pattern.search(text)
        if found:
            said_last += found.expand(zh)
            text = text[: found.start()] + text[found.end() :]
    for pattern, zh in _PATTERNS:
        if match := pattern.fullmatch(text):
            return zh.format(*map(_words, match.groups())) + said_last
    return message


def _words(part: str) -> str:
    """Put what stands for a type or a range into Chinese; a value in quotes stays as written."""
    if part.startswith(("'", '"')):
        return part
    for en, zh in _WORDS.items():
        part = part.replace(en, zh) if en != "text" else re.sub(r"\btext\b", zh, part)
    return part


def lines(error: ConfigError) -> list[str]:
    """Return one line for each fault in Chinese; a fault that tells both languages as it is."""
    found = list(error.lines)
    for i, fault in enumerate(error.args):
        if type(fault) is Fault:
            found[i] = str(Fault(fault.spot, fault.field, told(fault.message)))
    return found
