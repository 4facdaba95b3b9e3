"""The numbers of results, to be compared to the last bit."""

_SECONDS = ("seconds", "compile")


def numbers(results):
    """All metric values of all cells that are not times."""
    return {
        (cell.target, cell.sampler, str(cell.settings), row.metric): (row.value, row.low, row.high, row.floor)
        for cell in results.cells
        for row in cell.metric_values
        if not any(word in row.metric for word in _SECONDS)
    }
