"""What a figure and a table have in common: a place among the files, and a name to refer to it."""


class Artefact:
    """A figure or a table.

    study  the study that it is of, as files call it; "" for several
    stem   the name of its files, without ending
    """

    study: str
    stem: str

    @property
    def name(self) -> str:
        """Its path below the folder of its kind, without ending: `ml-100k/pareto`."""
        return f"{self.study}/{self.stem}" if self.study else self.stem

    @property
    def anchor(self) -> str:
        """What cross-references and links within a page call it: `pareto-ml-100k`."""
        return f"{self.stem}-{self.study}" if self.study else self.stem
