"""Smaller dense models of one size and several shapes, of which a control is the best."""

import pytest

from recprune.evaluation import footprint
from recprune.models import BPR, DLRM, EASE, IALS, MultVAE, NeuMF, SASRec

SEVERAL = [
    MultVAE(hidden=64, latent=16, epochs=1),
    NeuMF(factors=16, hidden=(16, 8), epochs=1),
    DLRM(factors=16, hidden=(16, 8), epochs=1),
    SASRec(factors=16, heads=2, hidden=32, max_length=10, epochs=1),
]


@pytest.mark.slow
@pytest.mark.parametrize("model", SEVERAL, ids=lambda model: model.name)
@pytest.mark.parametrize("share", [0.5, 0.25])
def test_shapes_have_the_size_of_the_smaller_model_and_keep_more_of_what_hardly_counts(model, share, ratio):
    model.fit(ratio.train, ratio.validation, seed=0)
    first, *others = model.shapes(share)
    assert first.hyperparameters() == model.smaller(share).hyperparameters()
    assert others, "there is another shape"
    most = footprint(first.fit(ratio.train, ratio.validation, seed=0)).parameters
    (kept,) = model.other_sizes
    for other in others:
        assert getattr(other, kept) > getattr(first, kept)
        assert getattr(other, model.main_size) <= getattr(first, model.main_size)
        n = footprint(other.fit(ratio.train, ratio.validation, seed=0)).parameters
        assert n <= most
        wider = other._resized(**{model.main_size: getattr(other, model.main_size) + model._grain()})
        assert footprint(wider.fit(ratio.train, ratio.validation, seed=0)).parameters > most, "the largest that fits"
    assert getattr(others[-1], kept) == getattr(model, kept)


@pytest.mark.parametrize("model", [BPR(factors=8, epochs=1), IALS(factors=8, iterations=1)])
def test_what_has_one_size_has_one_shape(model, ratio):
    model.fit(ratio.train, ratio.validation, seed=0)
    assert [one.hyperparameters() for one in model.shapes(0.25)] == [model.smaller(0.25).hyperparameters()]


def test_ease_of_few_neighbours_is_as_large_as_ease_of_few_items(ratio):
    first, other = EASE(l2=10.0).fit(ratio.train).shapes(0.25)
    assert first.max_items == round(0.5 * ratio.n_items) and other.max_items is None
    assert other.neighbours == round(0.25 * ratio.n_items)
    sizes = [footprint(model.fit(ratio.train)).parameters for model in (first, other)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.05)
    assert len(other.shapes(0.25)) == 1, "of what is sparse already, fewer neighbours"


def test_a_shape_that_no_size_fits_is_left_out(ratio):
    model = MultVAE(hidden=4, latent=200, epochs=1).fit(ratio.train, ratio.validation, seed=0)
    assert len(model.shapes(0.25)) < 3
