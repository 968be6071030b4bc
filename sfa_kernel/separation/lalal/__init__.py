"""lalal.ai: separation by a service in the cloud, through its API v1.

- `services` says what there is to be had, and what an order for it looks like;
- `client` speaks to the service;
- `board` lets all processes of a library share one poller, and remembers what was ordered and paid;
- `split` is the engine: a song goes up, its stems come down;
- `align` puts what came down in step with the song.
"""
