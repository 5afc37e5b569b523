/* pieces: the same bytes in several chunkings, for readers of streams. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum pieces { PIECES_OF_ONE_BYTE, PIECES_AT_RANDOM, PIECES_ALL_AT_ONCE, PIECES_COUNT };

/* The length of the next piece. *seed begins with any number, the same one for the same pieces. */
static inline size_t next_piece(enum pieces pieces, size_t left, uint64_t *seed)
{
    enum { RANDOM_BYTES_MAX = 23 };
    if (pieces == PIECES_ALL_AT_ONCE || left == 0)
        return left;
    if (pieces == PIECES_OF_ONE_BYTE)
        return 1;
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    size_t piece = 1 + (size_t)(*seed >> 33) % RANDOM_BYTES_MAX;
    return piece < left ? piece : left;
}
