print([hash("a"), hash(b"abc"), hash("another text")])
