"""The two forms of the page: what is plotted, and what is asked. Their lists of names are filled by the script."""

_NEEDS_SCRIPT = "<noscript><p>This part needs JavaScript; figures and tables below do not.</p></noscript>"


def _select(name: str, text: str, options: str = "") -> str:
    return f'<label class="{name}">{text} <select name="{name}">{options}</select></label>'


_COSTS = (
    '<option value="bytes">bytes on disk</option><option value="ms">milliseconds for one user</option>'
    '<option value="kept">share kept</option>'
)
EXPLORE = f"""{_NEEDS_SCRIPT}
<form id="plot-form" class="controls" aria-label="What is plotted" autocomplete="off">
{_select("dataset", "Data set")}{_select("protocol", "Protocol")}{_select("cost", "Horizontal axis", _COSTS)}
{_select("family", "Family")}{_select("model", "Model")}{_select("unit", "Removed")}{_select("method", "Method")}
<label class="check"><input type="checkbox" name="floor"> also what is worse than popularity</label>
<button type="reset">Reset</button>
</form>
<div id="plot" role="group" aria-label="Test nDCG@10 of every model against its cost; the table below lists the front"></div>
<p class="note"><output id="shown" form="plot-form"></output> Large: dense models. Filled: CF; hollow: deep; black edge: smaller dense models;
pale: random removal. Steps: the front of each family, among what is shown; what is not on it is faint. Means over seeds; milliseconds are those of the machine
that measured.</p>
<div id="picked" class="card" aria-live="polite"><p>Point at a mark to read it; choose it to see its notebook here.</p></div>
<details id="front"><summary>The front as a table</summary><div class="wide" tabindex="0" role="region" aria-label="The front"></div></details>"""

_QUESTIONS = (
    '<option value="size">the smallest file that loses no more than …</option>'
    '<option value="budget">the best within a number of bytes</option>'
    '<option value="speed">the fastest that loses no more than …</option>'
    '<option value="data">the least training data that lose no more than …</option>'
)
CHOOSE = f"""{_NEEDS_SCRIPT}
<p>Say what matters; the answer is chosen on validation, and test, which had no say in it, confirms it or does not.</p>
<form id="choice-form" class="controls" aria-label="What is asked" autocomplete="off">
{_select("question", "I want", _QUESTIONS)}
<label class="loss">Loss <span class="amount"><input name="loss" type="number" min="0" max="99" step="any" value="1"
inputmode="decimal"> % of nDCG@10</span></label>
{_select("against", "of", '<option value="best">the best dense model</option><option value="own">its own dense model</option>')}
<label class="budget" hidden>Budget <span class="amount"><input name="budget" type="number" min="0" step="any" value="500"
inputmode="decimal"> kB</span></label>
{_select("dataset", "Data set")}{_select("protocol", "Protocol")}{_select("family", "Family")}{_select("model", "Model")}
</form>
<div id="answer" class="card" aria-live="polite"></div>
<details><summary>How it is chosen</summary>
<p>Candidates are the dense models, the pruned ones and dense models trained smaller; random removal is a control and no candidate.
Where less training data are asked for, candidates are models trained anew on what is left.
A loss is not exceeded where the one-sided 95 % lower bound of nDCG@10 on validation, relative to the dense model, stays above it, at this
share and at every larger one of the same method. Against the best dense model (best on validation), the bound of a pruned model is
that against its own dense model times the measured ratio of the two dense models, whose own uncertainty is not counted. Within a budget the
highest mean on validation wins, relative to the best dense model over the same seeds. Nothing is widened for the number of candidates
that are looked at: a choice among many is a little optimistic, which is why test stands beside it.</p></details>"""
