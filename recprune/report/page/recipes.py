"""How to make, from one's own ratings, what a point of the report is: a shell command, or a few lines of Python."""

from __future__ import annotations

import pandas as pd

from recprune.cells.curves.distilled import LENGTH
from recprune.cells.names import AS_TRAINED

FILE = "RATINGS.csv"
KEPT = "{kept}"  # stands for the share in a recipe, which all points of a curve have in common
SEVERAL_ROUNDS = ("linear", "cubic", "geometric")


def recipe(point: pd.Series) -> str:
    """The recipe of a curve point, with KEPT where its share kept belongs; "" for a control that nobody would make."""
    side, criterion = point["side"], point["criterion"]
    if side == "parameters":
        return _command(point)
    if side == "dense":
        return _python(point, [], "model", fitted="split")
    if side == "control" and criterion == "smaller-dense":
        return _smaller(point)
    if side == "samples":
        return _samples(point)
    return ""


def _smaller(point: pd.Series) -> str:
    """A model trained smaller: plainly, taught by the dense one, or then left without its users' rows."""
    small = f"model.smaller({KEPT})"
    if point["recovery"] == "distil":
        lists = f"lists  = model.recommend(range(split.n_users), k={LENGTH})"
        taught = f"model  = {_fit(small, 'split', point, train='with_lists(split.train, lists)')}"
        more = "from recprune.cells.curves.distilled import with_lists"
        return _python(point, [lists, taught], "model", fitted="split", more=more)
    if point["unit"] == "item-tables":  # of a model of factors, whose two tables are equally wide
        share = f"share  = min(1, {KEPT} * (split.n_users + split.n_items) / split.n_items)"
        fit = f"model  = {_fit('model.smaller(share)', 'split', point)}"
        cut = 'cut    = rp.prune(model, split, criterion="random", unit="user-row", keep=1 / split.n_users, seed=0)'
        return _python(point, [share, fit, cut], "cut.compact()", fitted="split")
    return _python(point, [f"model  = {_fit(small, 'split', point)}"], "model", fitted="split")


def _command(point: pd.Series) -> str:
    options = {name: point[name] for name in ("model", "unit", "criterion", "schedule", "recovery")}
    if options["schedule"] == "one-shot":
        del options["schedule"]  # the command's own
    if point["protocol"] not in ("", "ratio"):
        options["protocol"] = point["protocol"]
    if point["values"] != AS_TRAINED:
        options["values"] = point["values"]
    given = " ".join(f"--{name} {value}" for name, value in options.items() if value)
    return f".venv/bin/python -m recprune prune {FILE} {given} --keep {KEPT} --out small/"


def _samples(point: pd.Series) -> str:
    unit, criterion, schedule, recovery = (point[name] for name in ("unit", "criterion", "schedule", "recovery"))
    if schedule in SEVERAL_ROUNDS:  # the loop asks the trained model, round after round
        how = f'schedule="{schedule}", recovery="{recovery}"'
        call = f'done   = prune_data(model, split, "{criterion}", keep={KEPT}, {how}, seed=0)'
        return _python(point, [call], "done.model", fitted="split", more="from recprune.pruning import prune_data")
    asked = "" if unit == "interaction" else f', unit="{unit}"'
    less = f'less   = rp.prune_samples(split, criterion="{criterion}", keep={KEPT}, seed=0{asked})'
    if recovery == "retrain-updates":
        longer = "model  = with_equal_updates(model, split.train, less.train)"
        fit = f"model  = {_fit('model', 'less', point)}"
        return _python(
            point, [less, longer, fit], "model", more="from recprune.models.descent import with_equal_updates"
        )
    return _python(point, [less, f"model  = {_fit('model', 'less', point)}"], "model")


def _python(point: pd.Series, steps: list[str], made: str, fitted: str = "", more: str = "") -> str:
    """Load, split, build, the steps, round, save; `fitted`: the split that the model is trained on before the steps."""
    model = f'rp.models.build("{point["model"]}")'
    rounded = made if point["values"] == AS_TRAINED else f'rp.quantize({made}, "{point["values"]}")'
    lines = [
        "import recprune as rp",
        *([more] if more else []),
        f'split  = rp.split(rp.load("{FILE}"), protocol="{point["protocol"] or "ratio"}", seed=0)',
        f"model  = {_fit(model, fitted, point) if fitted else model}",
        *steps,
        f'{rounded}.save("small/")',
    ]
    return "\n".join(lines)


def _fit(model: str, split: str, point: pd.Series, train: str = "") -> str:
    """The call that trains a model: on a split's training part, or on what else `train` says."""
    # who is held out of training is known by what they have seen: the protocols with such users need it to stop early
    known = "" if point["protocol"] in ("", "ratio") else ', fold_in=split.fold_in("validation")'
    plain = split == "split" and not train
    whole = "" if plain else f", served={split}.unpruned"  # trained on other data, it still knows what users did
    return f"{model}.fit({train or f'{split}.train'}, validation={split}.validation, seed=0{known}{whole})"
