"""Other people's alerting: one small module for each family of webhooks, all alike, all pure.

Each has `NAME`, `recognises(headers, document)` and `parse(headers, body, query)`, which returns reports or raises
PayloadInvalid. Header names are in lower case. Nothing that a payload points to is ever fetched.
"""
