"""Secrets out of text: what looks like one is replaced by `***`, and the line around it stays readable.

Everything here is total: `mask`, `mask_lines` and `secret_values` raise nothing for any text. Lines are cut to
`LINE_LIMIT` before a pattern runs over them, and every quantifier is bounded, so the cost of a line is bounded too.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import takewhile
from typing import Final
from urllib.parse import quote, unquote

from .logs import LINE_LIMIT, clean_line

STARS: Final = "***"
WHOLE_WORD_BELOW: Final = 6  # characters; a shorter value is masked as a whole word only, or it would eat the line
NAME_LIMIT: Final = 256  # characters of a variable's name that are looked at
PEM_LINES: Final = 120  # an RSA key of 16,384 bits has about 200 lines, one of 8,192 has 100

# Words that announce a secret. A plain `key` or `auth` is not among them: `key=orders:12` is a diagnostic.
_NAME: Final = (
    r"(?>(?<!com)(?<!by)(?<!tres)(?<!sur)pass(?:word|wd|phrase|code)?(?!enger|ive|ing|ed|age|port|ion|able|es\b)"
    r"|pwd(?![\"']?\s{0,3}[=:]\s{0,3}[\"']?[/~])|secret(?!ar[iy])|token(?!i[sz])|credentials?|authorization"
    r"|(?:api|access|secret|private|signing|encryption|master|account|shared|storage|client|service|ssh|auth|session"
    r"|license|deploy|app|hmac|webhook)[ _.-]?key|auth[_-]?(?:code|data)|connection[_-]?string|session[_-]?id|sessid"
    r"|jsessionid|connect\.sid|csrf(?:token)?|xsrf|bearer|otp|mnemonic)"
)
# What follows such a word in names that carry no secret: password_file, token_count, secret_name, tokens: 512.
_HARMLESS_TAIL: Final = (
    r"(?!s?[_.-]?(?:file|path|dir|url|uri|count|limit|length|len|min|max|ttl|timeout|expir\w{0,12}|age|type|policy"
    r"|version|size|name|usage|used)s?\b|s[\"']?\s{0,3}[=:]\s{0,3}\d{1,9}\b)"
)
# An answer to "what is wrong with it" is no secret: `token: expired`, `password=None`.
_DIAGNOSTIC: Final = (
    r"(?!(?:expired|invalid|missing|not|is|was|are|required|failed|denied|none|null|nil|true|false|empty|unset"
    r"|undefined|incorrect|wrong|rejected|unknown|revoked|authentication|verification|validation|must|cannot|can't"
    r"|could|has|should|no|too|unauthorized|forbidden|mismatch|malformed|signature"
    r"|(?:permission|access) (?:is )?denied|operation not permitted|parameter (?:null or )?not set|unbound variable"
    r"|environment variable|(?:field|value) (?:is )?required|certificate (?:has|is|was))"
    r"(?=[\s,;)\]}\"']|[.:](?:\s|$)|$)"
    r"|(?:\\{0,3}[\"']){2})"
)
# A value ends at its quote; without one at white space, or where the next `name=` or `name:` begins.
_VALUE: Final = (
    r"(?(quote)(?:(?!(?P=quote))(?:\\.|.)){1,2048}|(?:(?![;,&][A-Za-z_][A-Za-z0-9_. -]{0,30}[=:])[^\s]){1,2048})"
)
_SCHEME: Final = r"(?:(?:basic|bearer|digest|token|apikey|negotiate|aws4-hmac-sha256)\s{1,3})?"
_BEGIN_PEM: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END_PEM: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_TEXT: Final = re.compile(
    r"(?:^|[\s|\"'])(?:[A-Za-z0-9+/]{16,}={0,2}|[A-Za-z0-9+/]{2,}={1,2})[\"',\s]{0,4}$|^\s{0,8}[A-Za-z0-9+/]+={0,2}$"
    r"|^(?:Proc-Type|DEK-Info|Version|Comment):"
)
_KEY_BODY: Final = re.compile(r"^(?=.{0,76}[a-z])(?=.{0,76}[A-Z])(?=.{0,76}\d)[A-Za-z0-9+/]{64,76}={0,2}$")


# What `keep` matches stays, the rest of the match is replaced.
_SHAPES: Final = tuple(
    re.compile(shape)
    for shape in (
        # A key in one line, with line ends written as \n; also one whose end was cut off.
        rf"{_BEGIN_PEM.pattern}.{{0,{LINE_LIMIT}}}?(?:{_END_PEM.pattern}|$)",
        r"(?i)\b(?P<keep>(?:set-)?cookie[\"']?\s{0,3}[:=,]\s{0,3}[\"']?)[^\"']{1,2048}",
        # user:password@host, greedy to the last @ because passwords have some; host:8080/@scope has none.
        r"(?P<keep>://[^\s:/@\"']{0,256}:)(?!\d{1,5}/)[^\s\"'<>]{1,512}(?=@)",
        r"(?P<keep>://)(?=[^\s:/@]{0,256}\d)[^\s:/@]{16,256}(?=@)",
        r"(?P<keep>(?<![\w/.])[\w.-]{1,64}:)[^\s:@/\"']{1,128}(?=@(?:tcp\(|unix\(|(?!sha\d)[A-Za-z]))",
        r"(?i)(?P<keep>[?&](?:key|sig|signature|auth|code|pass|x-amz-[a-z-]{1,32})=)[^&\s\"'<>]{1,1024}",
        # password=x, "password": "x", ('password', 'x'), Authorization: Basic x, also as JSON inside JSON
        rf"(?i)(?P<keep>{_NAME}{_HARMLESS_TAIL}[A-Za-z0-9_.-]{{0,40}}(?:\\{{0,3}}[\"'\]])?"
        rf"(?:\s{{0,3}}(?:=>|:=|==?|:)|,(?=\s{{0,2}}[\"']))\s{{0,3}}{_SCHEME}{_DIAGNOSTIC}"
        rf"(?P<quote>\\{{0,3}}[\"'])?{_SCHEME}){_VALUE}",
        rf"(?i)(?P<keep><[\w:.-]{{0,40}}{_NAME}[\w:.-]{{0,40}}>)[^<]{{1,1024}}(?=</|$)",
        # --password hunter2, and -u user:password of curl
        rf"(?i)(?P<keep>(?<!\S)--?[\w-]{{0,30}}{_NAME}{_HARMLESS_TAIL}[\w-]{{0,20}}\s{{1,3}})(?!-)\S{{1,1024}}",
        r"(?P<keep>(?<!\S)(?:-u|--user)[ =]{1,2}[\"']?[^\s:\"']{1,64}:)(?!\d{1,6}\b)[^\s\"']{1,256}",
        r"(?i)\b(?P<keep>(?:basic|bearer|token|apikey)\s{1,4})(?=[A-Za-z._~+/-]{0,64}[0-9=])[\w.~+/=-]{8,2048}",
        # "the password is Tr0ub4dor", "token used: 8f3…": a word of that kind, then something that is no word.
        r"(?i)\b(?P<keep>(?:pass(?:word|wd|phrase)|pwd|secret)\s{1,3}(?:is|was)\s{1,3})(?=\S{0,200}[\d!@#$%^&*])\S{1,256}",
        rf"(?i)\b(?P<keep>(?:{_NAME}s?|key|signature|salt)[\"'\s:=]{{1,4}}(?:(?:is|was|used|for|of)[\s:]{{1,3}})?)"
        r"(?=[A-Za-z+/_.~=-]{0,64}\d)(?=[0-9+/_.~=-]{0,64}[A-Za-z])(?!sha(?:256|512)\b)[\w+/.~=-]{20,1024}",
        # Tokens that carry the mark of their vendor.
        r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA)[0-9A-Z]{12,32}",
        r"\b(?:gh[pousr]_|github_pat_|npm_|hf_|pypi-|dckr_pat_|gl(?:pat|dt|rt|ptt|ft|soat|agent)-)[\w-]{8,512}",
        r"\b(?:xox[abeoprs]-|xapp-|whsec_|GOCSPX-|AIza|ya29\.|do[opr]_v1_|hv[bsr]\.)[\w.+/=-]{8,1024}",
        r"\b(?:[prs]k_(?:live|test)_|sk-)[\w-]{8,512}",
        r"\bSG\.[\w-]{8,64}\.[\w-]{8,128}",
        r"\b\d{8,10}:AA[\w-]{30,64}",
        r"\bAGE-SECRET-KEY-1[0-9A-Z]{16,128}",
        r"\beyJ[\w-]{6,2048}\.[\w-]{2,2048}(?:\.[\w-]{0,2048})?",
        r"\$(?:[156y]|2[abxy]?|argon2(?:id?|d))\$[\w./$=,+-]{16,256}",
        r"(?i)(?P<keep>hooks\.slack\.com/[a-z]{1,16}/)[^\s\"'<>]{1,512}",
        r"(?i)(?P<keep>discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/)[^\s\"'<>]{1,512}",
        r"(?i)(?P<keep>office\.com/webhook[a-z0-9]{0,4}/)[^\s\"'<>]{1,1024}",
    )
)


def _starred(found: re.Match[str]) -> str:
    return (found.groupdict().get("keep") or "") + STARS


def mask(text: str, secrets: frozenset[str] = frozenset()) -> str:
    """Replace secrets in a text by `***`, line by line; every line is cleaned and cut to 2 KiB (`logs.clean_line`).

    `secrets` are known values, masked wherever they turn up, also JSON-escaped or percent-encoded.
    """
    return "\n".join(mask_lines(text.split("\n"), secrets))


def mask_lines(lines: Iterable[str], secrets: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Mask lines that belong together: a PEM key over several of them is found. As many lines come out as go in."""
    known = _spelled(secrets)
    cleaned = [clean_line(line) for line in lines]
    hidden = _pem_lines(cleaned)
    return tuple(STARS if index in hidden else _mask_line(line, known) for index, line in enumerate(cleaned))


def _mask_line(line: str, known: tuple[str, ...]) -> str:
    for shape in _SHAPES:
        line = shape.sub(_starred, line)
    for value in known:
        if value in line:
            line = _without(line, value)
    return _without_beginning(line, known)


def _without(line: str, value: str) -> str:
    if len(value) >= WHOLE_WORD_BELOW:
        return line.replace(value, STARS)
    return re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", STARS, line)


def _without_beginning(line: str, known: tuple[str, ...]) -> str:
    """Where the cut went through a known value, its beginning stands at the end of the line: mask that too."""
    if (
        not known or len(line.encode("utf-8", "replace")) < LINE_LIMIT - 3
    ):  # the cut can lose 3 bytes of a split character
        return line
    for value in known:
        for length in range(min(len(value), len(line)) - 1, 3, -1):
            if line.endswith(value[:length]):
                return line[:-length] + STARS
    return line


@lru_cache(maxsize=256)
def _spelled(secrets: frozenset[str]) -> tuple[str, ...]:
    """Every way in which the values can stand in a log, the longest first; a value of several lines gives each line."""
    spelled: set[str] = set()
    for secret in secrets:
        lines = [line.strip() for line in secret.split("\n")]
        for value in [line for line in lines if len(line) >= WHOLE_WORD_BELOW] if len(lines) > 1 else lines:
            clean = clean_line(value)
            spelled |= {clean, json.dumps(clean)[1:-1], json.dumps(clean, ensure_ascii=False)[1:-1]}
            spelled.add(quote(clean, safe="", errors="replace"))
    return tuple(sorted((value for value in spelled if value.strip(" *")), key=lambda value: (-len(value), value)))


def _pem_lines(lines: Sequence[str]) -> frozenset[int]:
    """Find the lines of private keys, also of one whose beginning or end is not among the lines."""
    hidden = {index for index, line in enumerate(lines) if _KEY_BODY.match(line)}
    begins = [index for index, line in enumerate(lines) if _BEGIN_PEM.search(line) and not _END_PEM.search(line)]
    ends = [index for index, line in enumerate(lines) if _END_PEM.search(line) and not _BEGIN_PEM.search(line)]
    for begin in begins:
        after = range(begin + 1, min(begin + 1 + PEM_LINES, len(lines)))
        end = next((index for index in ends if index in after), None)
        body = range(begin + 1, end) if end else takewhile(lambda index: _PEM_TEXT.search(lines[index]), after)
        hidden |= {begin, *body, *([end] if end else [])}
    for end in ends:
        before = range(end - 1, max(-1, end - 1 - PEM_LINES), -1)
        hidden |= {end, *takewhile(lambda index: _PEM_TEXT.search(lines[index]), before)}
    return frozenset(hidden)


# Which variables of an environment hold a secret: by their name, else by what their value looks like. A pointer key
# (`TOKEN_TTL`, `PASSWORD_FILE`) talks of a secret and has none.
_SECRET_KEY: Final = re.compile(
    r"(?i)pass|pwd|secret|token|cred|private|auth|cookie|session|salt|signature|license|webhook|jwt|bearer|dsn|otp"
    r"|connection_?string|conn_?str|mnemonic|seed|(?:^|_|api|access|shared|account)keys?(?:_|$|\d)|apikey|pat$|sas$"
)
_POINTER_KEY: Final = re.compile(
    r"(?i)_(?:file|path|dir|url|uri|host|port|name|type|ttl|timeout|length|count|limit|expiry|enabled|version|size|age"
    r"|min|max|rounds|algorithm|mode|level|provider)$"
)
_SYSTEM_KEY: Final = re.compile(
    r"(?i)^(?:path|home|lang|language|lc_.{1,12}|tz|term|shell|user|pwd|oldpwd|hostname|gpg_key|python_.{1,24})$"
)
_ORDINARY_KEY: Final = re.compile(
    r"(?i)(?:level|env|environment|mode|host|hostname|server|addr|address|port|name|user|username|db|database|region"
    r"|zone|locale|format|driver|engine|dialect|type|profile|stage|tier|role|service|app|module|class|origin|bucket"
    r"|topic|queue|index|schema|encoding|policy|command|workers?|backend|broker|debug|timezone|_version|_sha256)$"
)
_WORD: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_./-]{0,63}(?::\d{1,5})?$")
_HARMLESS_VALUE: Final = re.compile(
    r"(?i)^(?:true|false|yes|no|on|off|none|null|enabled|disabled|auto|default|localhost(?::\d+)?"
    r"|[-+]?[\d.,_]{1,32}(?:[kmgt]i?b?|ms|s|m|h|d|%)?"  # numbers, sizes, durations, versions, addresses
    r"|(?:\d{1,3}\.){3}\d{1,3}(?:[:/]\d{1,5})?"
    r"|(?:[a-z0-9](?:[a-z0-9-]{0,62})\.){1,8}[a-z]{2,16}(?::\d{1,5})?"  # db.internal:5432
    r"|[a-z]{2}_[a-z]{2}(?:\.[\w-]{1,12})?|c\.utf-?8"
    r"|(?:(?:~|\.{1,2})?/[\w.@+ -]{0,128}){1,32}(?::(?:/[\w.@+-]{0,128}){1,16}){0,64}"  # paths, also several
    r"|[a-z][a-z0-9+.-]{1,16}://[\w.-]{1,255}(?::\d{1,5})?(?:/[\w.~-]{0,15}){0,8})$"  # plain URLs
)
_SWITCHES: Final = frozenset({"true", "false", "yes", "no", "on", "off", "none", "null"})
_PASSWORD_IN_URL: Final = re.compile(r"://[^\s:/@]{0,256}:([^\s]{1,512})@")


def secret_values(env: Mapping[str, str]) -> frozenset[str]:
    """Choose the values of an environment that have to be masked wherever they turn up; in doubt a value is one.

    A value counts when the name says so (`DB_PASSWORD`, any length), or when it has 6 characters or more and is no
    number, boolean, path, host, plain URL, or plain word under an ordinary name (`LOG_LEVEL=warning`).
    """
    found: set[str] = set()
    for key, value in env.items():
        text = value.strip()
        if not text or not _is_secret(key[:NAME_LIMIT], text):
            continue
        password = _PASSWORD_IN_URL.search(text)
        found |= {text, *((password[1], unquote(password[1], errors="replace")) if password else ())}
    return frozenset(found)


def _is_secret(key: str, value: str) -> bool:
    harmless = _HARMLESS_VALUE.match(value[:LINE_LIMIT]) is not None
    plain = harmless or _WORD.match(value) is not None
    if _SECRET_KEY.search(key) and not _SYSTEM_KEY.match(key):
        pointer = plain and _POINTER_KEY.search(key) is not None
        return not pointer and value.lower() not in _SWITCHES
    ordinary = _SYSTEM_KEY.match(key) or _ORDINARY_KEY.search(key)
    return len(value) >= WHOLE_WORD_BELOW and not (plain if ordinary else harmless)
