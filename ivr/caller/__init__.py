"""The test caller: a phone nobody here wrote (pyVoIP, GPLv3), calling the service as a trunk would.

Only `phone.py` imports pyVoIP. It serves `app.py call` and the acceptance tests; no part of the service needs it.
"""
