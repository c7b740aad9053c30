"""One page for one result: everything it rests on, to be looked at and sent to somebody.

`adapters` makes a `Page` (`page`) of a JSON document, `render` writes it as one HTML file that asks
the network for nothing, `index` lists the pages of a folder. A new kind of document needs one
adapter and nothing else. Not here: decoding pictures and writing files (`cli.reporting`).
"""
