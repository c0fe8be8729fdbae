"""The raw client of datagrams: what stands in the tab of an attachment over UDP."""
