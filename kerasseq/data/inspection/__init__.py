"""The inspection of data before a training; each file builds on those before.

- `findings`: what can be wrong with data, and the worst examples of it
- `texts`, `sounds`, `pictures`: the checks of the examples of one part
- `overlap`: what parts share: sources, files, speakers
- `advice`: sentences on what a survey shows, for the first lines of a training
- `corpora`: opens the data that a command line names
- `report`: inspects parts, and makes JSON of the result
- `lines`: makes lines of it
"""
