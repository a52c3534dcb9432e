"""How the notebooks run as tests (nbval): text is compared exactly, pictures are not."""

# Cells print what their figures show. A figure's own data hold every digit of every point, and the last ones
# differ between processors. (nbval itself leaves PNG out.)
FIGURES = ("text/html", "application/vnd.plotly.v1+json", "image/svg+xml")


def pytest_collectstart(collector):
    if hasattr(collector, "skip_compare"):  # a notebook, as nbval collects it
        collector.skip_compare += FIGURES
