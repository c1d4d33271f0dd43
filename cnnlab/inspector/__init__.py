"""One warm Keras process for what pages ask at once, so that no page loads Keras.

`client` and `answers` import no Keras; `server` runs in a process of its own and imports it there.
"""
