# Medians and ranges of what several rounds measured, as a table for people and as JSON for programs.
import json
import statistics


def number(x):
    if x is None:
        return "-"
    if abs(x) >= 1000:
        return f"{x:,.0f}"
    return f"{x:.0f}" if abs(x) >= 100 else f"{x:.1f}" if abs(x) >= 10 else f"{x:.2f}" if abs(x) >= 0.1 else f"{x:.4f}"


def spread(values):
    if not values:
        return "-"
    if len(values) == 1:
        return number(values[0])
    return f"{number(statistics.median(values))} [{number(min(values))}..{number(max(values))}]"


class Report:
    """Figures by scenario, broker and name; every value is one round's."""

    def __init__(self, title, facts):
        self.title, self.facts = title, facts
        self.values = {}  # (scenario, broker) -> name -> list
        self.notes = []

    def add(self, scenario, broker, **figures):
        row = self.values.setdefault((scenario, broker), {})
        for name, value in figures.items():
            row.setdefault(name, []).append(value)

    def ratios(self, scenario, name, of, to):
        """Round by round, so that what disturbed a round disturbs both."""
        mine = self.values.get((scenario, of), {}).get(name, [])
        theirs = self.values.get((scenario, to), {}).get(name, [])
        return [a / b for a, b in zip(mine, theirs) if b]

    def table(self, columns, ratio=None, to="kafka"):
        """ratio: the column that is also given as a share of what `to` needs."""
        head = ["", *columns, *([f"{ratio} / {to}'s"] if ratio else [])]
        rows = []
        for (scenario, broker), figures in self.values.items():
            row = [f"{scenario}, {broker}", *(spread(figures.get(c, [])) for c in columns)]
            if ratio:
                row.append(spread(self.ratios(scenario, ratio, broker, to)) if broker != to else "")
            rows.append(row)
        widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
        lines = ["  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))) for r in [head, *rows]]
        return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])

    def show(self, as_json, columns, ratio=None):
        if as_json:
            values = [{"scenario": s, "broker": b, **figures} for (s, b), figures in self.values.items()]
            print(json.dumps({"title": self.title, "machine": self.facts, "notes": self.notes, "results": values}))
            return
        facts = ", ".join(f"{k} {number(v) if isinstance(v, float) else v}" for k, v in self.facts.items())
        print(f"{self.title}\n{facts}\nmedian [lowest..highest] of the rounds\n\n{self.table(columns, ratio)}")
        for note in self.notes:
            print(note)
