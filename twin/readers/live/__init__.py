"""The live page: what `twin run --live` opens on a machine that has neither Prometheus nor Grafana.

Its pictures follow from the same declarations as the report's (`panels`) and are drawn by the same
code and library (`pictures`, Bokeh). Grafana's own panel packages were weighed against it: they
draw our dashboards in a plain page (the tests of the dashboards do it), but they are React
components of 405 packages (451 MB) with a build step that leaves a 2.2 MB script to be kept in step
by hand, and still lack the page around them. Bokeh is there already; its script is served from the
installed package, so nothing is copied into this repository and nothing is fetched from anywhere
else.

It is not a Bokeh server: that has one Python session per page, and ten pages would cost ten times.
Here a chapter's pictures are made once for all pages, and one stream of messages, each encoded
once, goes to all of them. `history` keeps the course of all series within bounds, `page` makes what
is shown, `levers` what can be changed, `server` lets in whom it must; `service` lives in the
sidecar.
"""

from twin.readers.live.service import Live

__all__ = ["Live"]
