"""What a part of a study declares: its section, steps, tables, figures, pages and claims.

Every list of a part's pieces is made from these declarations: the targets of the workflow, the
order of the report, the captions, ``results/README.md``, the claims that are judged. They name
modules by text, so that the Snakefile reads them without importing pandas or torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from inspect import cleandoc
from typing import TYPE_CHECKING, ClassVar

from hyperribbon.config.fields import Section

if TYPE_CHECKING:
    from hyperribbon.config import Configuration
    from hyperribbon.studies.study import Study

When = Callable[["Study"], bool]
SPLITS = ("train", "test")


def always(study: Study) -> bool:
    """Whether a study has a piece: whenever it has the part."""
    return True


class PartSection(Section):
    """The section of a part, which also checks what it needs from the rest of the study.

    Attributes
    ----------
    replaces_grid : bool
        Whether the section lists all trainings itself, so that networks, optimisers and
        augmentations are not combined.
    """

    replaces_grid: ClassVar[bool] = False

    def check(self, study: Study) -> None:
        """Refuse, by `refuse`, a study that does not have what this part needs."""

    def configurations_with(
        self, study: Study, configurations: list[Configuration]
    ) -> list[Configuration]:
        """All training jobs of a study, given those without this part."""
        return configurations


@dataclass(frozen=True)
class Figure:
    """A figure, drawn by the function of its name.

    Attributes
    ----------
    name : str
        Name of the function and of the file.
    category : str
        Chapter of the report.
    about : str
        A sentence for the map of the results.
    caption : str
        Caption in the report, in reStructuredText.
    splits : bool
        Whether there is one figure for each split.
    module : str
        Module of the function in the part's folder.
    when : callable
        Whether a study has the figure; by default, whenever it has the part.
    """

    name: str
    category: str
    about: str
    caption: str
    splits: bool = False
    module: str = "figures"
    when: When = always

    def drawn(self) -> dict[str, str]:
        """Category of each file, by the file's name.

        >>> Figure("near", "Predictions", "", "", splits=True).drawn()
        {'near_train': 'Predictions', 'near_test': 'Predictions'}
        """
        if not self.splits:
            return {self.name: self.category}
        return {f"{self.name}_{split}": self.category for split in SPLITS}


@dataclass(frozen=True)
class OwnFigure(Figure):
    """A figure that `hyperribbon.register_figure` has registered.

    Attributes
    ----------
    function : callable
        Draws it, from the tables of a study by their names.
    """

    function: Callable | None = None


@dataclass(frozen=True)
class Step:
    """A step, which shares its name with its rule, log and benchmark.

    Attributes
    ----------
    name : str
        Name of the rule.
    module : str
        Module in the part's folder; by default, the one of the same name.
    tables : mapping
        A sentence about each table that the step writes, by the table's name.
    when : callable
        Whether a study has the step; by default, whenever it has the part.
    """

    name: str
    module: str = ""
    tables: Mapping[str, str] = field(default_factory=dict)
    when: When = always


@dataclass(frozen=True)
class Page:
    """A page that is complete in itself.

    Attributes
    ----------
    name : str
        Name of the file.
    step : str
        Name of the step that writes it.
    about : str
        A sentence for the map of the results.
    label : str
        Name of the page in the report's overview.
    caption : str
        Caption in the report, in reStructuredText. Without one, the page is not in the report.
    link : str
        Words of a link on the report's first page, for a page that is too large to be in the
        report: a browser shows nothing in a frame whose address has over 2 MB.
    """

    name: str
    step: str
    about: str
    label: str = ""
    caption: str = ""
    link: str = ""


@dataclass(frozen=True)
class Part:
    """A part of a study: a folder of ``hyperribbon.studies`` and a file of rules.

    Attributes
    ----------
    name : str
        Name of the folder and of ``workflow/rules/<name>.smk``.
    title : str
        Heading of its pieces in the map of the results.
    section : type, optional
        Its section of the configuration, under the part's name, if it has one.
    about : str
        A sentence about what the section asks for.
    applies : callable, optional
        Whether a study has the part; by default, if it has the section.
    needs_trainings : bool
        Whether the section needs the study's own trainings. Without them, it is refused.
    steps, figures, pages : tuple
        Its pieces, in the order of the report.
    files : mapping
        A sentence about each other file in the folder of results, by path.
    claims : tuple of str
        Modules of the part whose ``CLAIMS`` are judged.
    claims_when : callable
        Whether they are about a study; by default, whenever it has the part.
    data : str
        Name of the data set for which the claims are judged, if not the study's.
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
    claims_when: When = always
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
        """Path of each caption in a folder of captions, and its text."""
        for step in self.steps:
            for table, about in step.tables.items():
                yield f"tables/{table}.rst", about
        for figure in self.figures:
            yield f"figures/{figure.name}.rst", cleandoc(figure.caption)
        for page in self.pages:
            if page.caption:
                yield f"pages/{page.name}.rst", cleandoc(page.caption)
