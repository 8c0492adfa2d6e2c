"""Renders a view as a self-contained HTML page.

A report is a view (a frozen dataclass from ``gauntlet.reports.views``, or a ``Verdict``) and a template that extends
``page.html.j2``. Everything is escaped, undefined names raise, and rendering is deterministic: no clock, no random ids,
no network.

    {% extends "page.html.j2" %}
    {% import "kit.html.j2" as kit %}
    {% block content %}
      {{ kit.tiles([("Rows", view.rows | count)]) }}
      {{ plots.forest(view.rows, bound=0.05) }}
    {% endblock %}
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gauntlet.reports import format as formats
from gauntlet.reports import plots
from gauntlet.reports.wording import breakable, prose
from gauntlet.verdict import Verdict

RUN = "<!-- run -->"
ABOUT = "<!-- about -->"
"""Where ``gauntlet.reports.masthead`` says which run a page belongs to, and what it is about."""

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
        view: data of the page, ``view`` in the template.
        subtitle: one line under the heading: the data, the model, the time span.
        verdict: verdict of the gate; its status, summary and table of checks then begin the page.

    Returns:
        The whole document, ending in a newline.

    Raises:
        jinja2.UndefinedError: the template uses a name that the view does not have.
    """
    page = _environment().get_template(template)
    return page.render(title=title, subtitle=subtitle, view=view, verdict=verdict) + "\n"


def partial(template: str, **values: object) -> str:
    """Render a piece of a page."""
    return _environment().get_template(template).render(**values).strip()


def verdict_page(verdict: Verdict, *, title: str, subtitle: str = "") -> str:
    """Render the report of a gate without a page of its own: its checks and their evidence."""
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
    style = environment.get_template("style.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment.globals.update(plots=plots, style=Markup(style), style_digest=f"sha256-{digest}")  # noqa: S704 - our own
    return environment
