"""The HTTP service: `goods serve`.

settings   what a deployment decides
wire       what requests ask for, as typed models, and `views`, what answers say
home       one index as it is served: its private copy, model, client, words to suggest
app        the routes put together behind `guard` (who may ask), `watched` (log and metrics)
"""
