/* A voice: a square wave through a filter that an LFO moves, played by a curve; after half a second it gets quieter. */
#include <amp/amp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, FRAMES = 48000, BLOCK = 480 };

/* Writes the graph into memory of the caller; with memory NULL it only says how many bytes that takes. */
static amp_status describe(void *memory, size_t capacity, size_t *size, amp_error *error) {
    amp_writer w;
    amp_write_graph(&w, memory, capacity, RATE, "voice", "out");
    amp_write_node(&w, "osc", "oscillator");
    amp_write_curve_ref(&w, "frequency_hz", "pitch_hz");
    amp_write_text(&w, "waveform", "square");
    amp_write_node(&w, "lfo", "lfo");
    amp_write_number(&w, "rate_hz", 5.0);
    amp_write_node(&w, "flt", "svf");
    amp_write_number(&w, "cutoff_hz", 800.0);
    amp_write_text(&w, "mode", "bandpass");
    amp_write_number(&w, "q", 4.0);
    amp_write_node(&w, "level", "gain");
    amp_write_number(&w, "gain", 0.5);
    amp_write_node(&w, "out", "output");
    amp_write_edge(&w, "osc", "out", "flt", "in");
    amp_write_edge(&w, "flt", "out", "level", "in");
    amp_write_edge(&w, "level", "out", "out", "in");
    amp_write_modulation(&w, "lfo", "out", "flt", "cutoff_hz", 0, 0.5, 1.0); /* cutoff * (1 + 0.5 * lfo) */
    return amp_write_end(&w, size, error);
}

/* What the curve of the graph does: 110 Hz, and up an octave within the second. */
static amp_status play(amp_graph_runtime *runtime, amp_error *error) {
    uint8_t blob[128];
    size_t size;
    amp_writer w;
    amp_write_history(&w, blob, sizeof blob);
    amp_write_curve(&w, "pitch_hz", AMP_CURVE_LINEAR);
    amp_write_point(&w, 0.0, 110.0);
    amp_write_point(&w, 1.0, 220.0);
    if (amp_write_end(&w, &size, error) != AMP_OK) return error->code;
    return amp_graph_runtime_set_history(runtime, blob, size);
}

static amp_buffer view(double *data, int64_t frames) {
    amp_buffer b;
    memset(&b, 0, sizeof b);
    b.struct_size = sizeof b;
    b.batches = b.channels = 1;
    b.frames = b.batch_stride = b.channel_stride = frames;
    b.data = data;
    return b;
}

/* Renders block by block, as the callback of a sound card would: nothing is allocated from the first block on. */
static amp_status render(amp_graph_runtime *runtime, double *sound, amp_error *error) {
    double quiet = 0.125;
    const amp_buffer value = view(&quiet, 1);
    amp_config config;
    amp_status status;
    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    config.batches = config.threads = 1;
    config.flags = AMP_RUN_STOP_NONFINITE;
    status = amp_graph_runtime_configure(runtime, &config);
    if (status == AMP_OK) status = play(runtime, error);
    if (status == AMP_OK) status = amp_graph_runtime_set_param(runtime, "level", "gain", &value, FRAMES / 2);
    for (int64_t n = 0; status == AMP_OK && n < FRAMES; n += BLOCK) {
        const amp_buffer block = view(sound + n, BLOCK);
        status = amp_graph_runtime_execute(runtime, BLOCK, &block, NULL, 0);
    }
    if (status != AMP_OK && error->code == AMP_OK) amp_graph_runtime_last_error(runtime, error);
    return status;
}

static double sound[FRAMES];

int main(void) {
    amp_error error;
    amp_graph_runtime *runtime = NULL;
    amp_status status;
    size_t size = 0;
    void *blob = NULL;

    memset(&error, 0, sizeof error);
    error.struct_size = sizeof error;

    status = describe(NULL, 0, &size, &error);
    if (status == AMP_OK) blob = malloc(size);
    if (status == AMP_OK) status = describe(blob, size, &size, &error);
    if (status == AMP_OK) status = amp_graph_runtime_create(blob, size, NULL, 0, &runtime, &error);
    if (status == AMP_OK) status = render(runtime, sound, &error);
    if (status == AMP_OK)
        printf("%d frames, digest %016llx\n", FRAMES, (unsigned long long)amp_checksum(sound, sizeof sound));
    else
        fprintf(stderr, "%s: %s\n", amp_status_name(status), error.message);
    amp_graph_runtime_destroy(runtime);
    free(blob);
    return status == AMP_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
