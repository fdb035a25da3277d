"""Lines that say how far a study is: runs finished, and about how long the others will take."""

from __future__ import annotations

from pathlib import Path

from recprune.study.cost import seconds_taken
from recprune.study.plan import Plan, Planned


def started_line(run: Planned) -> str:
    """The line that says that a run starts."""
    return f"           start  {label(run)}"


def finished_line(plan: Plan, run: Planned) -> str:
    """`[ 12/48]  25 %  ease · magnitude · ml-100k    8.1 s   about 3 min 20 s left`"""
    done = sum(other.done for other in plan.runs)
    width = len(str(len(plan.runs)))
    left = remaining(plan)
    end = "all runs are finished" if done == len(plan.runs) else f"about {duration(float(round(left)))} left"
    seconds = seconds_taken(Path(run.folder)) or 0.0
    share = 100 * done // len(plan.runs)
    return f"[{done:>{width + 1}}/{len(plan.runs)}] {share:>3} %  {label(run):<44} {duration(seconds):>9}   {end}"


def remaining(plan: Plan) -> float:
    """Seconds until the plan is finished, when the others are off their estimates as much as the finished ones were."""
    left = [run.seconds for run in plan.runs if not run.done]
    if not left:
        return 0.0
    measured = [
        (run.seconds, taken)
        for run in plan.runs
        if run.done and (taken := seconds_taken(Path(run.folder), plan.started))
    ]
    scale = sum(taken for _, taken in measured) / sum(guess for guess, _ in measured) if measured else 1.0
    return max(sum(left) / plan.jobs, max(left)) * scale


def label(run: Planned) -> str:
    """`ease · magnitude · ml-100k`, with the protocol where it is not the usual one."""
    dataset, protocol, model, method = run.id.split("/")
    words = [method, dataset] if model == "all" else [model, method, dataset]
    return " · ".join(words if protocol == "ratio" else [*words, protocol])


def duration(seconds: float) -> str:
    """`8.1 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s" if seconds < 20 and seconds % 1 else f"{seconds:.0f} s"
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    return f"{minutes // 60} h {minutes % 60} min"
