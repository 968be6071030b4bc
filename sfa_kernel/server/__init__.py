"""The two servers: a Jupyter server extension, and the dashboard on our own small Voila application.

Both offer the same routes (:mod:`sfa_kernel.server.handlers`), bind to this machine only and ask for a token.
Whoever may open a kernel has the rights of the operating system's user that runs it.
"""
