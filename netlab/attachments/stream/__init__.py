"""The raw client of a stream: what stands in an attachment's tab if no protocol was named."""
