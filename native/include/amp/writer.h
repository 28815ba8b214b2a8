/* Writes blobs in C and C++ programs without Python. The calls are in write_graph.h and write_history.h.
 * Header only: inline functions that call two functions of the library, amp_describe_node and amp_checksum.
 * A writer writes one blob to the caller's memory, which must be valid from amp_write_graph or amp_write_history to amp_write_end. It
 * allocates nothing and may be used by one thread at a time. With memory NULL it only counts the bytes that the blob needs.
 * Texts are UTF-8 with a final zero byte, up to 65535 bytes; texts and samples are copied. A NULL text is "", except for ports.
 * The writer checks the order of calls, sizes of texts and tensors, and memory. The reader of the blob checks everything else.
 * Failure: record in `error`, stage "write", no violations. Calls before amp_write_end report nothing: the writer stores the first
 * mistake and ignores all further calls; amp_write_end returns the mistake. */
#ifndef AMP_WRITER_H
#define AMP_WRITER_H
#include <stdio.h>
#include <string.h>

#include "node.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AMP_INLINE static inline

#define AMP_WRITER_NODES 0u
#define AMP_WRITER_EDGES 1u
#define AMP_WRITER_MODULATIONS 2u
#define AMP_WRITER_CURVES 3u   /* curves of a control history */
#define AMP_WRITER_ENDED 4u

/* State of a writer, owned by the caller and initialised by amp_write_graph or amp_write_history. The caller must not use the fields. */
typedef struct amp_writer {
    uint8_t    *data;          /* the caller's memory; NULL: bytes are only counted */
    size_t      capacity;
    size_t      size;          /* bytes of the blob so far, including those that exceed the capacity */
    size_t      list;          /* offset of the item count of the open list */
    size_t      params;        /* offset of the parameter count of the last node, or of the point count of the last curve */
    size_t      tail;          /* offset of the graph's heat budget, a node's thermo constants, an edge's slot or a modulation's mode */
    size_t      end;           /* offset of the last edge's gates */
    uint32_t    part;          /* the open list: AMP_WRITER_* */
    uint32_t    count;         /* items of the open list */
    uint32_t    inner;         /* parameters of the last node, gates of the last edge, points of the last curve */
    uint32_t    pieces;        /* parts of the last edge: bits 1 and 2 as in graph.h; 4: it has a heat share */
    const char *mistake;       /* first mistake, static text; NULL: none */
    char        where[96];     /* name of the item written last */
} amp_writer;

/* ---- implementation of the calls; not for callers ---- */

static inline void amp_writer_fail(amp_writer *w, const char *mistake) {
    if (!w->mistake) w->mistake = mistake;
}

static inline void amp_writer_put_at(amp_writer *w, size_t at, const void *bytes, size_t size) {
    if (!w->data || size == 0 || at > w->capacity || size > w->capacity - at) return;
    memcpy(w->data + at, bytes, size);
}

static inline void amp_writer_put(amp_writer *w, const void *bytes, size_t size) {
    if (w->mistake) return;
    if (size > SIZE_MAX - w->size) {
        amp_writer_fail(w, "more bytes than a size holds. Write less");
        return;
    }
    amp_writer_put_at(w, w->size, bytes, size);
    w->size += size;
}

/* Writes the lowest `size` bytes of a number at offset `at`, little endian on every machine. */
static inline void amp_writer_number_at(amp_writer *w, size_t at, uint64_t value, size_t size) {
    uint8_t bytes[8];
    for (size_t i = 0; i < 8; ++i) bytes[i] = (uint8_t)(value >> (8 * i));
    if (!w->mistake) amp_writer_put_at(w, at, bytes, size);
}

static inline void amp_writer_number(amp_writer *w, uint64_t value, size_t size) {
    const uint8_t nothing[8] = {0};
    const size_t at = w->size;
    amp_writer_put(w, nothing, size);
    amp_writer_number_at(w, at, value, size);
}

static inline uint64_t amp_writer_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return value != value ? UINT64_C(0x7ff8000000000000) : bits;
}

static inline void amp_writer_double(amp_writer *w, double value) { amp_writer_number(w, amp_writer_bits(value), 8); }
static inline void amp_writer_nan(amp_writer *w) { amp_writer_number(w, UINT64_C(0x7ff8000000000000), 8); }

static inline void amp_writer_text(amp_writer *w, const char *text) {
    const size_t size = text ? strlen(text) : 0;
    if (size > 65535u) {
        amp_writer_fail(w, "a text is longer than 65535 bytes. Shorten it");
        return;
    }
    amp_writer_number(w, size, 2);
    amp_writer_put(w, text, size);
}

static inline void amp_writer_tensor(amp_writer *w, const amp_buffer *t) {
    if (!t || !t->data || t->batches == 0 || t->channels == 0 || t->frames <= 0) {
        amp_writer_fail(w, "a tensor has no samples. Give batches, channels, frames and data");
        return;
    }
    amp_writer_number(w, t->batches, 4);
    amp_writer_number(w, t->channels, 4);
    amp_writer_number(w, (uint64_t)t->frames, 8);
    for (uint32_t b = 0; b < t->batches; ++b)
        for (uint32_t c = 0; c < t->channels; ++c) {
            const double *row = t->data + (int64_t)b * t->batch_stride + (int64_t)c * t->channel_stride;
            for (int64_t n = 0; n < t->frames; ++n) {
                uint64_t bits;
                memcpy(&bits, row + n, sizeof bits);
                amp_writer_number(w, bits, 8);
            }
        }
}

/* Writes an enumerator as one byte at offset `at`. */
static inline void amp_writer_byte_at(amp_writer *w, size_t at, uint32_t value) {
    if (value > 255u) amp_writer_fail(w, "a mode, policy or interpolation is above 255. Use one that the headers name");
    amp_writer_number_at(w, at, value, 1);
}

/* Increments the count of a list, which is stored at offset `at`. */
static inline void amp_writer_one_more(amp_writer *w, size_t at, uint32_t *count) {
    if (*count == UINT32_MAX) amp_writer_fail(w, "a list has more items than a count holds. Write less");
    if (w->mistake) return;
    amp_writer_number_at(w, at, ++*count, 4);
}

static inline void amp_writer_open_list(amp_writer *w, uint32_t part) {
    w->part = part;
    w->list = w->size;
    w->count = 0;
    amp_writer_number(w, 0, 4);
}

/* Begins an item of a part; parts that are skipped become empty lists. `name` is the item's name in errors. */
static inline void amp_writer_item(amp_writer *w, uint32_t part, const char *name) {
    size_t n = 0;
    if (w->part > part || (w->part != part && part == AMP_WRITER_CURVES))
        amp_writer_fail(w, "a call is out of order. Write nodes, then edges, then modulations; curves only into a history");
    if (w->mistake) return;
    while (w->part < part) amp_writer_open_list(w, w->part + 1);
    for (; name && name[n] && n + 1 < sizeof w->where; ++n) w->where[n] = name[n];
    w->where[n] = 0;
    w->tail = w->end = w->size;
    w->inner = w->pieces = 0;
    amp_writer_one_more(w, w->list, &w->count);
}

/* Whether the last item belongs to `part`, so that a call may add to it; otherwise stores the mistake `otherwise`. */
static inline int amp_writer_last_is(amp_writer *w, uint32_t part, const char *otherwise) {
    if (w->part != part || w->count == 0) amp_writer_fail(w, otherwise);
    return !w->mistake;
}

static inline void amp_writer_begin(amp_writer *w, void *memory, size_t capacity, const char *magic) {
    memset(w, 0, sizeof *w);
    w->data = (uint8_t *)memory;
    w->capacity = memory ? capacity : 0;
    amp_writer_put(w, magic, 4);
    amp_writer_number(w, 1, 4);        /* version */
    amp_writer_number(w, 0, 8);        /* length and checksum: set by amp_write_end */
    amp_writer_number(w, 0, 8);
}

/* ---- the end ---- */

/* [any] Completes the blob with its length and checksum. `*size` receives the number of bytes it has. If the memory is too small, the call
 * is AMP_E_INVALID_ARG and `*size` is the number needed; with memory NULL the call succeeds. Any other mistake is AMP_E_INVALID_ARG with
 * its sentence, and `*size` is 0. */
AMP_INLINE amp_status amp_write_end(amp_writer *w, size_t *size, amp_error *error) {
    char sentence[256] = "";
    if (w->part == AMP_WRITER_ENDED) amp_writer_fail(w, "the blob has ended. Begin another");
    while (w->part < AMP_WRITER_MODULATIONS) amp_writer_open_list(w, w->part + 1);
    w->part = AMP_WRITER_ENDED;
    *size = w->mistake ? 0 : w->size;
    if (w->mistake)
        (void)snprintf(sentence, sizeof sentence, "%s: %s.", w->where[0] ? w->where : "writer", w->mistake);
    else if (w->data && w->size > w->capacity)
        (void)snprintf(sentence, sizeof sentence, "writer: too little memory (got %llu bytes, allowed %llu or more). Give more.",
                       (unsigned long long)w->capacity, (unsigned long long)w->size);
    else if (w->data) {
        amp_writer_number_at(w, 8, w->size - 24, 8);
        amp_writer_number_at(w, 16, amp_checksum(w->data + 24, w->size - 24), 8);
    }
    if (error) {
        const uint32_t struct_size = error->struct_size;
        memset(error, 0, sizeof *error);
        error->struct_size = struct_size;
        error->code = sentence[0] ? AMP_E_INVALID_ARG : AMP_OK;
        error->batch = error->channel = error->frame = -1;
        memcpy(error->stage, sentence[0] ? "write" : "", sentence[0] ? 6 : 1);
        memcpy(error->node, w->where, sizeof w->where);
        memcpy(error->message, sentence, sizeof sentence);
    }
    return sentence[0] ? AMP_E_INVALID_ARG : AMP_OK;
}

#ifdef __cplusplus
}
#endif
#endif
