"""Names that break a template which does not think of them; each must arrive unchanged."""

import json

NAMES = [
    """It's a "quoted" name""",
    '"; import os; os.system("touch pwned"); "',
    "''' + open('pwned', 'w') + '''",
    '""" \\""" """',
    "ends in a backslash \\",
    "\\n \\x41 \\u0022 \\N{BULLET} \\\\",
    "{single} {0} {} }} %} #} ${x}",
    "$HOME ${HOME} $(touch pwned) `touch pwned` $$",
    "; touch pwned | touch pwned & touch pwned > pwned",
    "</script><script>alert(1)</script>",
    "<b onclick='x'>&amp; &lt;",
    "-->  <!--",
    "100% %(name)s %s %%",
    "# no comment",
    "key: value # - [list] {a: b}",
    "!!python/object/apply:os.system ['touch pwned']",
    "null",
    "- item",
    "--help -rf",
    "@include |literal >folded",
    "Ärger & Söhne, Größe № 5",
    "日本語プロジェクト",
    "مشروع العربية",
    "🚀 rocket 👩‍👩‍👧 family",
    "e\u0301 \u00a0 \u200b \ufeff",
    "x" * 100,
]  # fmt: skip


def literal(name):
    """As a string of Jinja, because cookiecutter renders what the command line gives."""
    return "{{ " + json.dumps(name, ensure_ascii=False) + " }}"
