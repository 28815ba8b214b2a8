/* Meters: peak, mean, RMS, true peak (Rec. ITU-R BS.1770-4, annex 2) and loudness (BS.1770-4, EBU Tech 3341 and 3342) of signals that
 * come in pieces. The readings are the same bits however the signals are cut and however many threads measure them.
 *
 * Life: create -> process ... -> read, process on, read again ... -> destroy. Nothing is allocated while samples are taken.
 * Readings are of all frames so far; true peak takes the signal as zero before its first and behind its last frame.
 * Failure: record in `error`. *meter is set to NULL first; other outputs stay unwritten. */
#ifndef AMP_METER_H
#define AMP_METER_H
#include "buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
typedef struct amp_meter amp_meter;

#define AMP_METER_TRUE_PEAK 1u
#define AMP_METER_LOUDNESS 2u

typedef struct amp_meter_config {
    uint32_t      struct_size; /* sizeof(amp_meter_config) */
    uint32_t      flags;       /* AMP_METER_*; levels are always measured */
    uint32_t      batches;     /* >= 1 */
    uint32_t      channels;    /* >= 1 */
    uint32_t      threads;     /* at most AMP_MOST_THREADS; 0: as many as the process may use */
    uint32_t      reserved;    /* 0 */
    int64_t       frames;      /* most frames of all calls together, which memory for loudness is laid out for */
    double        sample_rate; /* Hz; with AMP_METER_LOUDNESS 8000 to 384000, otherwise not read */
    const double *weights;     /* of the channels' powers in the loudness, finite and >= 0; copied; NULL: 1 each */
} amp_meter_config;

/* One channel of one batch, as ratios of the samples' unit. */
typedef struct amp_levels {
    uint32_t struct_size;      /* sizeof(amp_levels) */
    uint32_t reserved;
    int64_t  left_out;         /* frames that are NaN or infinite: they do not count */
    double   peak;             /* greatest magnitude of a frame; NaN where no frame counts, as the next two */
    double   mean;
    double   rms;
    double   true_peak;        /* greatest magnitude of and between frames; NaN without AMP_METER_TRUE_PEAK and where left_out is not 0 */
} amp_levels;

/* One batch. LUFS; -inf is silence, NaN is no value: too short, or a frame is not finite or so large that its square is not. */
typedef struct amp_loudness {
    uint32_t struct_size;      /* sizeof(amp_loudness) */
    uint32_t reserved;
    double   integrated;       /* NaN below 400 ms */
    double   gate;             /* the relative one: 10 LU below the mean of the blocks above -70 LUFS */
    double   momentary_max;    /* of windows of 400 ms, one every 10 ms; NaN below 400 ms */
    double   short_term_max;   /* of windows of 3 s, one every 10 ms; NaN below 3 s */
    double   range_low;        /* percentiles 10 and 95 of short-term loudness by EBU Tech 3342, one value every 100 ms; */
    double   range_high;       /* their difference is the loudness range. NaN below 3 s and where nothing is above -70 LUFS */
    int64_t  blocks;           /* whole gating blocks of 400 ms, one every 100 ms */
    int64_t  blocks_above;     /* those above both gates */
} amp_loudness;

#define AMP_SERIES_MOMENTARY 0 /* windows of 400 ms */
#define AMP_SERIES_SHORT_TERM 1 /* windows of 3 s */

/* [any] Meters for signals of this shape, before their first frame. */
AMP_API amp_status amp_meter_create(const amp_meter_config *config, amp_meter **meter, amp_error *error);
AMP_API void       amp_meter_destroy(amp_meter *meter);      /* [owner] NULL is fine */
/* [owner] The next frames of every signal, in the shape of the configuration; borrowed for the call. */
AMP_API amp_status amp_meter_process(amp_meter *meter, const amp_buffer *samples, amp_error *error);
/* [owner] Fills `count` records, one per signal, channels of a batch side by side; count is batches * channels. */
AMP_API amp_status amp_meter_levels(const amp_meter *meter, amp_levels *levels, size_t count, amp_error *error);
/* [owner] Fills `count` records, one per batch. AMP_E_UNSUPPORTED without AMP_METER_LOUDNESS, here and below. */
AMP_API amp_status amp_meter_loudness(const amp_meter *meter, amp_loudness *loudness, size_t count, amp_error *error);
/* [owner] Loudness over time of one batch, LUFS: value k is of the window that begins k * 10 ms after the first frame. `count` is set
 * to how many there are; no more than `capacity` are written. */
AMP_API amp_status amp_meter_series(const amp_meter *meter, uint32_t batch, int32_t series, double *values, size_t capacity,
                                    size_t *count, amp_error *error);
/* [any] The two filters of the K-weighting at a rate from 8000 to 384000 Hz: b0 b1 b2 a1 a2 of the shelf, then of the highpass. */
AMP_API amp_status amp_k_weighting(double sample_rate, double coefficients[10], amp_error *error);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
