/* Renders one graph through the C ABI, so that a tool that counts instructions has a process that does the same every time. Intended for
 * callgrind with --toggle-collect=amp_graph_runtime_execute (instructions.py does this).
 *
 * count_execute LIBRARY                                        prints level, compiler and flags of the library
 * count_execute LIBRARY DESCRIPTORS PLAN BATCHES CHANNELS FRAMES BLOCK [NODE SAMPLES]
 *     The two blobs are files. Renders (BATCHES, CHANNELS, FRAMES) in blocks of BLOCK frames (0: the library chooses) in two calls, on the
 *     calling thread only; SAMPLES is a file of float64 that the input node NODE plays in every batch. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amp/amp.h"

#define CALLS 2
#define LINE 64 /* bytes of a cache line */

struct bytes {
    void  *data;
    size_t size;
};

static void refuse(const char *what, const char *why) {
    fprintf(stderr, "count_execute: %s: %s\n", what, why);
    exit(1);
}

static void check(amp_status status, const amp_error *error) {
    if (status != AMP_OK) refuse(error->stage, error->message);
}

static void *lines(size_t size) {
    void *data = aligned_alloc(LINE, (size + LINE - 1) / LINE * LINE);
    if (!data) refuse("memory", "none left");
    memset(data, 0, size);
    return data;
}

static struct bytes contents(const char *path) {
    FILE        *file = fopen(path, "rb");
    struct bytes found = {NULL, 0};
    if (!file || fseek(file, 0, SEEK_END) != 0) refuse(path, "cannot be read");
    found.size = (size_t)ftell(file);
    found.data = lines(found.size);
    rewind(file);
    if (fread(found.data, 1, found.size, file) != found.size) refuse(path, "cannot be read");
    fclose(file);
    return found;
}

static void *symbol(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (!found) refuse(name, "not in this library");
    return found;
}

static amp_buffer tensor(uint32_t batches, uint32_t channels, int64_t frames, double *data) {
    const amp_buffer view = {sizeof view, batches, channels, 0, frames, (int64_t)channels * frames, frames, data};
    return view;
}

#define USE(name) __typeof__(name) *const name##_ = (__typeof__(name) *)symbol(library, #name)

int main(int argc, char **argv) {
    if (argc != 2 && argc != 8 && argc != 10) refuse("arguments", "LIBRARY [DESCRIPTORS PLAN BATCHES CHANNELS FRAMES BLOCK [NODE SAMPLES]]");
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) refuse(argv[1], dlerror());
    USE(amp_isa);
    USE(amp_build_info);
    USE(amp_graph_runtime_create);
    USE(amp_graph_runtime_configure);
    USE(amp_graph_runtime_bind_input);
    USE(amp_graph_runtime_execute);
    USE(amp_graph_runtime_last_error);
    USE(amp_graph_runtime_destroy);
    printf("%s\n%s\n", amp_isa_(), amp_build_info_());
    if (argc == 2) return 0;

    const struct bytes descriptors = contents(argv[2]), plan = contents(argv[3]);
    const uint32_t     batches = (uint32_t)atol(argv[4]), channels = (uint32_t)atol(argv[5]);
    const int64_t      frames = atol(argv[6]), part = frames / CALLS;
    amp_error          error = {.struct_size = sizeof error};
    amp_graph_runtime *runtime = NULL;
    check(amp_graph_runtime_create_(descriptors.data, descriptors.size, plan.data, plan.size, &runtime, &error), &error);

    const amp_config config = {.struct_size = sizeof config,
                               .batches = batches,
                               .block_frames = (uint32_t)atol(argv[7]),
                               .flags = AMP_RUN_STOP_NONFINITE,
                               .threads = 1};
    amp_status       status = amp_graph_runtime_configure_(runtime, &config);
    if (status == AMP_OK && argc == 10) {
        const struct bytes samples = contents(argv[9]);
        const amp_buffer   played = tensor(1, 1, (int64_t)(samples.size / sizeof(double)), samples.data);
        status = amp_graph_runtime_bind_input_(runtime, argv[8], &played);
    }
    double *out = lines(sizeof(double) * batches * channels * (size_t)part);
    for (int call = 0; call < CALLS && status == AMP_OK; ++call) {
        const amp_buffer audio = tensor(batches, channels, part, out);
        status = amp_graph_runtime_execute_(runtime, part, &audio, NULL, 0);
    }
    amp_graph_runtime_last_error_(runtime, &error);
    check(status, &error);
    amp_graph_runtime_destroy_(runtime);
    return 0;
}
