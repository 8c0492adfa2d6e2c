"""From a view to one self-contained page of HTML.

A report is a view (a frozen dataclass from ``gauntlet.reports.views``, or a ``Verdict``) and a template that extends
``page.html.j2``. Everything is escaped, nothing undefined passes in silence, and the same view always gives the same
bytes: no clock, no random ids, no network.

    {% extends "page.html.j2" %}
    {% import "kit.html.j2" as kit %}
    {% block content %}
      {{ kit.tiles([("Rows", view.rows | count)]) }}
      {{ plots.forest(view.rows, bound=0.05) }}
    {% endblock %}
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from gauntlet.reports import format as formats
from gauntlet.reports import plots
from gauntlet.reports.wording import breakable, prose
from gauntlet.verdict import Verdict

_FILTERS = (
    breakable,
    prose,
    formats.count,
    formats.duration,
    formats.fixed,
    formats.href,
    formats.interval,
    formats.level,
    formats.moment,
    formats.number,
    formats.p_value,
    formats.percent,
    formats.quantity,
    formats.rows,
    formats.shorten,
    formats.signed,
    formats.size,
)


def render(
    template: str,
    *,
    title: str,
    view: object,
    subtitle: str = "",
    verdict: Verdict | None = None,
) -> str:
    """Render a page.

    Args:
        template: file name under ``templates/``, e.g. ``skew.html.j2``.
        title: the page's heading and window title.
        view: what the template shows; it reads it as ``view``.
        subtitle: one line under the heading: the data, the model, the span.
        verdict: what the gate found. Its status, its summary and its table of checks then open the page.

    Returns:
        The whole document, ending in a newline.

    Raises:
        jinja2.UndefinedError: the template asks for something the view does not have.
    """
    page = _environment().get_template(template)
    return page.render(title=title, subtitle=subtitle, view=view, verdict=verdict) + "\n"


def verdict_page(verdict: Verdict, *, title: str, subtitle: str = "") -> str:
    """The report of a gate that has nothing more to show than its checks and what they rest on."""
    return render("verdict.html.j2", title=title, subtitle=subtitle, view=verdict, verdict=verdict)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gauntlet.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({function.__name__: function for function in _FILTERS})
    environment.globals["plots"] = plots
    return environment
