"""The laws that all fields keep: within the one around them, or within their own derived buffer, which is bounded."""

from netlab.dissect.fields import most_derived


def check_fields(fields, start, end):
    """Every field lies within the one around it; one in a derived buffer lies within that."""
    for field in fields:
        if field.buffer is not None:
            assert len(field.buffer.data) <= most_derived(field.buffer.came_from), field.name
            assert 0 <= field.start <= field.end <= len(field.buffer.data), field.name
        else:
            assert start <= field.start <= field.end <= end, field
        check_fields(field.children, field.start, field.end)
