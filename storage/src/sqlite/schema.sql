-- Version 1. All numbers of parts are the saved form's own; values are its bytes.
CREATE TABLE collection (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    incarnation INTEGER NOT NULL,
    number INTEGER NOT NULL,
    head BLOB
) STRICT;
CREATE TABLE body (
    collection INTEGER NOT NULL, name INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (collection, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE place (
    collection INTEGER NOT NULL, name INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (collection, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE marks (
    collection INTEGER NOT NULL, name INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (collection, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE operation (
    collection INTEGER NOT NULL, name INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (collection, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE dropped (
    collection INTEGER NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (collection, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE outcome (
    collection INTEGER NOT NULL, name INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (collection, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE step (
    collection INTEGER NOT NULL, name INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (collection, name)
) STRICT, WITHOUT ROWID;
-- The last commits, and the names of the parts that each changed; none where they were too many.
CREATE TABLE commits (
    collection INTEGER NOT NULL, number INTEGER NOT NULL, id BLOB NOT NULL, names BLOB,
    PRIMARY KEY (collection, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE lease (
    key BLOB NOT NULL, name TEXT NOT NULL, holder TEXT NOT NULL,
    token INTEGER NOT NULL, until_ms INTEGER NOT NULL,
    PRIMARY KEY (key, name)
) STRICT, WITHOUT ROWID;
