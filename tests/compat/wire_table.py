"""One broker's answers as a table for people: what docs/reference-behaviour.md is made of."""
import json
import re

from wire_session import NOW


def shorten(value, fields):
    """An answer without the fields that hold their schema's default; error codes stay."""
    out = {}
    for f in fields:
        if f.name not in value:
            continue
        inner = value[f.name]
        if f.name == "Name" and fields[1].name == "TopicId" and "PartitionResponses" in value:
            out["Topic"] = inner
            continue
        if f.name == "Configs" and inner:
            inner = f"{len(inner)} configs"
        elif f.fields is not None and f.array and inner:
            inner = [shorten(element, f.fields) for element in inner]
        elif f.fields is not None and inner:
            inner = shorten(inner, f.fields)
        if f.name == "Records" and inner:
            inner = f"{len(inner) // 2} bytes"
        if f.name == "TopicId" and not value.get("Topic") and not value.get("Name") and inner != "zero":
            f_name = "Topic"     # one row for the versions that name a topic and those that give its id
        else:
            f_name = f.name
        if f.name == "ErrorCode" or (inner != f.default and inner not in ([], {}, "zero")):
            out[f_name] = inner
    return out


def contains(newer, older):
    """Whether `older` is `newer` with fewer fields: the versions differ in shape only."""
    if isinstance(newer, dict) and isinstance(older, dict):
        return all(k in newer and contains(newer[k], v) for k, v in older.items())
    if isinstance(newer, list) and isinstance(older, list):
        return len(newer) == len(older) and all(contains(n, o) for n, o in zip(newer, older))
    return newer == older


def simple(answer, message):
    if not isinstance(answer, dict):
        return answer
    text = json.dumps(shorten(answer, message.fields), ensure_ascii=False, default=str)
    text = re.sub(r'(": |\b)(1\d{12})\b', lambda m: f'": "T{int(m[2]) - NOW:+d}"' if m[1] else f"T{int(m[2]) - NOW:+d}", text)
    text = re.sub(r"(RUN-\w+)-vN(-\d+)?", r"\1", text)
    text = re.sub(r'"Brokers": \[\{"NodeId": "this node", "Host": "its host", "Port": "its port"\}\], ', "", text)
    text = re.sub(r'"(ClusterId|ControllerId)": "(an id|this node)",? ?', "", text)
    return json.loads(re.sub(r"x{100,}", "x…", text))


def table(session):
    lines = ["| request | versions | answer |", "|---|---|---|"]
    labels = {}
    for (label, version), answer in session.answers.items():
        message = session.protocol.response(session.requests[label])
        labels.setdefault(label, []).append((version, simple(answer, message)))
    for label, answers in labels.items():
        groups = []
        for version, answer in sorted(answers, key=lambda a: a[0]):
            if groups and contains(answer, groups[-1][2]):
                groups[-1][1:] = [version, answer]
            else:
                groups.append([version, version, answer])
        for low, high, answer in groups:
            text = json.dumps(answer, ensure_ascii=False).replace("|", "\\|")
            lines.append(f"| {label} | {low if low == high else f'{low}–{high}'} | `{text}` |")
    return "\n".join(lines) + "\n"
