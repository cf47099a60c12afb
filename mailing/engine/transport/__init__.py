"""SMTP: the only package that touches the network.

server    which mail server, how to log in, how long to wait (pure data)
replies   bytes from the server into replies
session   the protocol on one connection, as a state machine without a socket
pool      several connections in one thread
"""
