"""What each published claim came out as: the registry of claims, and verdicts where there are."""

from pathlib import Path

import pandas as pd

from hyperribbon.studies.parts import PARTS
from hyperribbon.studies.report.claims import claims_of

BY_STUDY = "claims_by_study.md"


def write(generated: Path, docs: Path, results: Path) -> None:
    """Write the page of all claims, with the verdicts of the studies in a folder."""
    studies = {path.parent.name: pd.read_csv(path) for path in results.glob("*/claims.csv")}
    verdicts = _verdicts(studies)
    parts = [(part.title, claims_of(part)) for part in PARTS]
    count = sum(len(claims) for _, claims in parts)
    lines = [
        "# All claims",
        "",
        f"The {count} published claims that studies judge, each with its source and its rule: the "
        "values of the whole 95% interval for which it counts as reproduced. "
        "[How verdicts are reached](/claims.md), and what is not measured.",
        "",
    ]
    if (docs / BY_STUDY).exists():
        lines += [f"What came out of the studies that were run: [by study](/{BY_STUDY}).", ""]
    if studies:
        lines += [f"Verdicts are those of {', '.join(f'`{name}`' for name in studies)}.", ""]
    else:
        lines += [
            "Verdicts on chapter 2, and remarks on them: [chapter 2](/chapter2.md). Of the other "
            "parts: [curvature](/curvature.md), [certificates](/certificates.md), "
            "[linear regression](/linear.md), [synthetic data](/synthetic.md), "
            "[representations](/representations.md), [class manifolds](/inversion.md), "
            "[tasks](/tasks.md) and [bases](/bases.md).",
            "",
        ]
    for title, claims in parts:
        if claims:
            lines += [f"## {title}", "", *_table(claims, verdicts), ""]
    (generated / "claims.md").write_text("\n".join(lines))


def _table(claims, verdicts: dict[str, str]) -> list[str]:
    head = ["claim", "source", "published", "reproduced if the interval is"]
    head += ["verdict"] * bool(verdicts)
    lines = [_row(head), _row(["---"] * len(head))]
    for claim in claims:
        published = "" if pd.isna(claim.published) else f"{claim.published:g}"
        cells = [claim.text, claim.source, published, claim.rule.name]
        lines.append(_row(cells + [verdicts.get(claim.text, "")] * bool(verdicts)))
    return lines


def _verdicts(studies: dict[str, pd.DataFrame]) -> dict[str, str]:
    """Verdicts of all studies on each claim, in words; "not comparable here" says nothing."""
    found: dict[str, list[str]] = {}
    for study, claims in studies.items():
        for claim, verdict in zip(claims["claim"], claims["verdict"], strict=True):
            if not verdict.startswith("not comparable"):
                found.setdefault(claim, []).append(f"{verdict} ({study})")
    return {claim: "; ".join(words) for claim, words in found.items()}


def _row(cells: list[str]) -> str:
    escaped = (
        str(cell).replace("|", r"\|").replace("<", r"\<").replace("$", r"\$") for cell in cells
    )
    return f"| {' | '.join(escaped)} |"
