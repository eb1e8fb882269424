"""What a part of a study declares: its section, steps, tables, figures, pages and claims.

Everything that lists a part's pieces is made from these declarations: the targets of the workflow,
the order of the report, the captions, ``results/README.md``, the claims that are judged. They name
modules by text, so that the Snakefile reads them without importing pandas or torch.
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
    """Whenever the part applies."""
    return True


class PartSection(Section):
    """The section of a part, which checks what the rest of the study must be for it."""

    def check(self, study: Study) -> None:
        """Refuse what the rest of the study does not allow, as `refuse` does."""


@dataclass(frozen=True)
class Figure:
    """A figure, drawn by the function of its name.

    Attributes
    ----------
    name : of the function, and of the files
    category : heading in the report; ``{split}`` stands for the split
    about : a sentence for the map of the results
    caption : reStructuredText, for the report
    splits : whether there is one of each split
    module : in the part's folder, of the function
    when : whether a study has it; by default, whenever the part applies
    """

    name: str
    category: str
    about: str
    caption: str
    splits: bool = False
    module: str = "figures"
    when: When = always

    def drawn(self) -> dict[str, str]:
        """Categories, by the name of each file.

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
    name : of the rule
    module : in the part's folder; by default, of the same name
    tables : what each table that it writes holds, by name
    when : whether a study has it; by default, whenever the part applies
    """

    name: str
    module: str = ""
    tables: Mapping[str, str] = field(default_factory=dict)
    when: When = always


@dataclass(frozen=True)
class Page:
    """A page of the report that is complete in itself.

    Attributes
    ----------
    name : of the file
    step : that writes it
    category : heading in the report
    about : a sentence for the map of the results
    caption : reStructuredText, for the report
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
    name : of the folder and of ``workflow/rules/<name>.smk``
    title : heading of its pieces in the map of the results
    section : of the configuration, under the part's name, if it has one of its own
    about : what that section asks for, in a sentence
    applies : whether a study has it; by default, if it has that section
    needs_trainings : whether the section is of the study's own trainings, and not complete alone
    steps, figures, pages : in the order of the report
    files : what else lies in the folder of results, by path
    claims : modules of the part whose ``CLAIMS`` are judged
    data : name of the data set that the claims are compared on, if that is not the study's
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
        """Full name of one of its modules.

        >>> Part("linear", "Linear regression").module("figures")
        'hyperribbon.studies.linear.figures'
        """
        return f"hyperribbon.studies.{self.name}.{name}"

    def captions(self) -> Iterator[tuple[str, str]]:
        """Paths of all its captions in a folder of captions, and their text."""
        for step in self.steps:
            for table, about in step.tables.items():
                yield f"tables/{table}.rst", about
        for figure in self.figures:
            yield f"figures/{figure.name}.rst", cleandoc(figure.caption)
        for page in self.pages:
            yield f"pages/{page.name}.rst", cleandoc(page.caption)
