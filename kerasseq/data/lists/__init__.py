"""Readers of lists and of files of texts, from bytes to entries; each file builds on those before.

- `kerasseq.data.files`: opens plain, gzipped and zipped files, within bounds
- `lines`: the lines of a text file, in any usual encoding
- `tables`: the cells of a table, whatever separates and quotes them
- `json_texts`: JSON values, one a line or all in one text
- `columns`: which columns of a table have the paths and the texts
- `entries`: (line number, path, text) of tables, and objects of JSON files
"""
