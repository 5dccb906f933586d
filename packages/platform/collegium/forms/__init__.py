"""Forms, their frozen versions, the answers to them and every change of an answer.

A form knows nothing of tasks or images; rooms above own an entry by an opaque text and authorise its use.
"""
