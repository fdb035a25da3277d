"""What is drawn can be told apart."""

from recprune.report.evidence.methods import Method, of_kind
from recprune.report.figures.drawing.style import CRITERIA, MODELS, method_looks, model_look

IN_ROUNDS = ("representative", "segment", "segment-learnt")  # drawn in a figure of their own


def test_no_two_series_look_alike_even_without_colour():
    models = [model_look(name, "deep" if name in ("neumf", "mult-vae", "dlrm", "sasrec") else "cf") for name in MODELS]
    assert len({(look.marker, look.fill) for look in models}) == len(models)
    trained, modelled = of_kind("trained"), of_kind("modelled")
    together = [
        trained,
        modelled,
        [name for name in CRITERIA if name not in (*trained, *modelled, *IN_ROUNDS)],
    ]  # in a figure
    for criteria in together:
        methods_look_apart([*criteria, "random", "magnitude", "new"])


def methods_look_apart(criteria):
    methods = [
        Method(unit, criterion, "one-shot", recovery)
        for criterion in dict.fromkeys(criteria)
        for unit in ("weight", "neuron", "factor")
        for recovery in ("none", "refit")
    ]
    looks = method_looks(methods)
    assert len(set(looks.values())) == len(methods)
