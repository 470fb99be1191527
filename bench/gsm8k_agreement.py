"""How our GSM8K verifier agrees with lm-evaluation-harness's filters on the same outputs.

    pip install --no-deps lm-eval
    adastar grade --task gsm8k OUTPUTS.jsonl > verdicts.jsonl
    python bench/gsm8k_agreement.py OUTPUTS.jsonl verdicts.jsonl

OUTPUTS.jsonl holds rows {"id", "answer", "output"}. The harness's two filters for chain-of-thought prompts (its gsm8k-cot.yaml) are applied to
the same text, cut where its generation would have been stopped, and compared with the gold answer by its exact_match settings. Prints the
counts and every disagreement.
"""

import importlib.util
import json
import re
import sys
from pathlib import Path

harness = Path(importlib.util.find_spec("lm_eval").origin).parent
settings = (harness / "tasks/gsm8k/gsm8k-cot.yaml").read_text()
PATTERNS = re.findall(r"regex_pattern: (.*)", settings)
STRICT, FLEXIBLE = (re.compile(pattern.strip().strip("\"'")) for pattern in PATTERNS)
STOPS = ["Q:", "</s>", "<|im_end|>"]
IGNORED = [",", r"\$", r"(?s).*#### ", r"\.$"]


def normalized(text):
    for pattern in IGNORED:
        text = re.sub(pattern, "", text)
    return text.lower()


def verdict(found, gold):
    if found is None:
        return "none"
    return "correct" if normalized(found) == normalized(gold) else "wrong"


def first(matches):
    """The filter's choice within one match of several groups: the first that is not empty."""
    match = matches
    return next((group for group in match if group), None) if isinstance(match, tuple) else match


def judge(output, gold):
    cut = min([len(output)] + [output.find(stop) for stop in STOPS if stop in output])
    text = output[:cut]
    strict = STRICT.findall(text)
    flexible = FLEXIBLE.findall(text)
    return (
        verdict(first(strict[0]).strip() if strict else None, gold),
        verdict(first(flexible[-1]).strip() if flexible else None, gold),
    )


rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
verdicts = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
assert [row["id"] for row in rows] == [own["id"] for own in verdicts]
print(f"{len(rows)} outputs; harness patterns: strict {STRICT.pattern}, flexible {FLEXIBLE.pattern}")
for place, kind in enumerate(["strict", "lenient"]):
    table = {}
    for row, own in zip(rows, verdicts):
        theirs = judge(row["output"], row["answer"])[place]
        key = (own[kind], theirs)
        table[key] = table.get(key, 0) + 1
        if (own[kind] == "correct") != (theirs == "correct"):
            print(f"\n{kind}: ours {own[kind]} ({own['extracted']}), harness {theirs}; gold {row['answer']}; {row['id']}\n  …{row['output'][-300:]!r}")
    agreement = sum(count for (ours, theirs), count in table.items() if (ours == "correct") == (theirs == "correct"))
    print(f"\n{kind} beside {'strict-match' if kind == 'strict' else 'flexible-extract'}: {agreement} of {len(rows)} agree on right or not; (ours, harness): {table}")
