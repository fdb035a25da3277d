import matplotlib as mpl
import pytest
from fake_cells import fake_cells, fake_formats

from recprune.report import figures
from recprune.report.evidence import Evidence, StudyEvidence

mpl.use("Agg")


@pytest.fixture(scope="session")
def cells():
    """A made-up study with every kind of row. Tests must not change it."""
    return fake_cells()


@pytest.fixture(scope="session")
def few():
    """Two models, one of each family, and three shares: enough for every figure, and quick to draw."""
    return fake_cells(models=("popularity", "ease", "mult-vae"), kept=(0.5, 0.2, 0.02))


@pytest.fixture(scope="session")
def study(cells):
    """The evidence of `cells`."""
    return StudyEvidence.of(cells)


@pytest.fixture(scope="session")
def few_study(few):
    """The evidence of `few`."""
    return StudyEvidence.of(few)


@pytest.fixture(scope="session")
def format_rows():
    """The models and shares of `few`, in every value format. Tests must not change it."""
    return fake_formats(models=("popularity", "ease", "mult-vae"), kept=(0.5, 0.2, 0.02))


@pytest.fixture(scope="session")
def formats(format_rows):
    """The evidence of `format_rows`."""
    return StudyEvidence.of(format_rows)


@pytest.fixture(scope="session")
def drawn(few):
    """All figures of `few`, by their stems."""
    return {drawing.stem: drawing for drawing in figures.drawings(Evidence.of(few))}
