"""The server of a generated package: typed handlers in, an ASGI application out.

Kept empty on purpose: the torch tasks need the handlers only, and must not drag the ASGI stack in.
"""
