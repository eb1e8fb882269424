"""Declarations of a part of a study: its section, steps, tables, figures, pages and claims.

Everything that lists a part's pieces follows from these declarations: the targets of the workflow,
the order of the report, the captions, ``results/README.md``, and the claims. They refer to modules
by name, so that the Snakefile reads them without importing pandas or torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from inspect import cleandoc
from typing import TYPE_CHECKING

from hyperribbon.config.fields import Section

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study

When = Callable[["Study"], bool]
SPLITS = ("train", "test")


def always(study: Study) -> bool:
    """True for every study."""
    return True


class PartSection(Section):
    """The section of a part, which may check the rest of the study."""

    def check(self, study: Study) -> None:
        """Raise `refuse` if the section does not fit the rest of the study."""


@dataclass(frozen=True)
class Figure:
    """A figure, drawn by the function with its name.

    Attributes
    ----------
    name : name of the function and of the files
    category : heading in the report; ``{split}`` stands for the split
    about : sentence for the map of the results
    caption : caption in the report, reStructuredText
    splits : whether there is one figure per split
    module : module with the function, in the part's folder
    when : whether a study has the figure; by default, whenever the part applies
    """

    name: str
    category: str
    about: str
    caption: str
    splits: bool = False
    module: str = "figures"
    when: When = always

    def drawn(self) -> dict[str, str]:
        """Categories by name of the file, without suffix.

        >>> Figure("near", "On the {split} data", "", "", splits=True).drawn()
        {'near_train': 'On the train data', 'near_test': 'On the test data'}
        """
        if not self.splits:
            return {self.name: self.category}
        return {f"{self.name}_{split}": self.category.format(split=split) for split in SPLITS}


@dataclass(frozen=True)
class Step:
    """A step, which shares its name with its rule, log and benchmark.

    Attributes
    ----------
    name : name of the rule
    module : module in the part's folder; by default, the one with the step's name
    tables : descriptions of the tables that it writes, by name
    when : whether a study has the step; by default, whenever the part applies
    """

    name: str
    module: str = ""
    tables: Mapping[str, str] = field(default_factory=dict)
    when: When = always


@dataclass(frozen=True)
class Page:
    """A self-contained page of the report.

    Attributes
    ----------
    name : name of the file
    step : name of the step that writes it
    category : heading in the report
    about : sentence for the map of the results
    caption : caption in the report, reStructuredText
    """

    name: str
    step: str
    category: str
    about: str
    caption: str


@dataclass(frozen=True)
class Part:
    """A part of a study: a folder of ``hyperribbon.studies`` and a file of rules.

    Attributes
    ----------
    name : name of the folder and of ``workflow/rules/<name>.smk``
    title : heading in the map of the results
    section : model of the section under the part's name in the configuration, if there is one
    about : meaning of that section, in a sentence
    applies : whether a study has the part; by default, if it has the section
    needs_trainings : whether the section needs trainings of the study
    steps, figures, pages : in the order of the report
    files : descriptions of other files in the folder of results, by path
    claims : modules of the part whose ``CLAIMS`` are judged
    data : name of the data set for the claims, if it is not that of the study
    """

    name: str
    title: str
    section: type[PartSection] | None = None
    about: str = ""
    applies: When | None = None
    needs_trainings: bool = False
    steps: tuple[Step, ...] = ()
    figures: tuple[Figure, ...] = ()
    pages: tuple[Page, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    claims: tuple[str, ...] = ()
    data: str = ""

    def is_in(self, study: Study) -> bool:
        """Whether a study has this part."""
        return self.applies(study) if self.applies else study.section(self.name) is not None

    def module(self, name: str) -> str:
        """Full name of one of the part's modules.

        >>> Part("linear", "Linear regression").module("figures")
        'hyperribbon.studies.linear.figures'
        """
        return f"hyperribbon.studies.{self.name}.{name}"

    def captions(self) -> Iterator[tuple[str, str]]:
        """Paths of all captions, relative to a folder of captions, and their texts."""
        for step in self.steps:
            for table, about in step.tables.items():
                yield f"tables/{table}.rst", about
        for figure in self.figures:
            yield f"figures/{figure.name}.rst", cleandoc(figure.caption)
        for page in self.pages:
            yield f"pages/{page.name}.rst", cleandoc(page.caption)
