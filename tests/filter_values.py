"""Values that are hard to write in a filter: every writer and reader of the language meets them."""

HARD = (
    *("XS..M", "..", "10..40", "*", "", " Red ", "\tRed\n"),
    *("Navy, Blue", ",", "a,,b", '"', '""', '"Red"', '12" heel', 'a","b', 'a", "b'),
    *("a\nb", "a\r\nb", "a\u2028b", "a\0b", "\ufeffRed", "\U0001f457"),
    *("=", "!=", "a=b", "<40", "a&b#c+d%20", "\\", "'Red'", "true", "1,299.00", "Été"),
)
