"""The live page: what `twin run --live` opens on a machine that has neither Prometheus nor Grafana.

Its pictures follow from the same declarations as the report's (`panels`) and are drawn by the same
code and library (`pictures`, Bokeh). Grafana's own panel packages were the alternative. They
draw our dashboards in a plain page (the tests of the dashboards do it). But they are React
components of 405 packages (451 MB), with a build step whose 2.2 MB script would have to be updated
by hand, and they still lack the page around them. Bokeh is already a dependency. Its script is
served from the installed package, so nothing is copied into this repository or fetched from
elsewhere.

It is not a Bokeh server: that has one Python session per page, and ten pages would cost ten times.
Here a chapter's pictures are made once for all pages, and one stream of messages, each encoded
once, goes to all of them. `history` keeps the course of all series in bounded memory, `page` makes
what is shown, `levers` what can be changed; `server` and `handlers` control access; `service` runs
in the sidecar.
"""

from twin.readers.live.service import Live

__all__ = ["Live"]
