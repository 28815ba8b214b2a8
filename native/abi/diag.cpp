// extern "C": build information, instruction set and logging.
#include "amp/diag.h"

#include "abi/guard.hpp"
#include "amp_source_digest.h"
#include "core/log.hpp"
#include "kernel/step.hpp"

#ifndef AMP_BUILD_INFO
#define AMP_BUILD_INFO "unknown build"
#endif

using namespace amp;

extern "C" {

size_t amp_violation_count(size_t* found) {
    const Report r = report_of_thread();
    if (found) *found = r.found;
    return r.count;
}
const amp_violation* amp_violation_at(size_t index) {
    const Report r = report_of_thread();
    return index < r.count ? r.records + index : nullptr;
}

uint32_t amp_abi_version(void) { return (AMP_ABI_VERSION_MAJOR << 16) | AMP_ABI_VERSION_MINOR; }

const char* amp_status_name(amp_status code) {
    static const char* const names[] = {
        "AMP_OK",        "AMP_E_INVALID_ARG", "AMP_E_SHAPE", "AMP_E_NOMEM", "AMP_E_UNSUPPORTED",
        "AMP_E_PENDING", "AMP_E_BLOB",        "AMP_E_DRIFT", "AMP_E_CYCLE", "AMP_E_NONFINITE",
        "AMP_E_THERMAL", "AMP_E_INTERNAL",    "AMP_E_FULL"};
    return code <= 0 && code >= AMP_E_FULL ? names[-code] : "AMP_E_UNKNOWN";
}

const char* amp_isa(void) { return kernels() ? kernels()->isa : ""; }
const char* amp_build_info(void) { return AMP_BUILD_INFO; }
const char* amp_source_digest(void) { return AMP_SOURCE_DIGEST; }

int32_t amp_test_hooks(void) {
#ifdef AMP_TEST_HOOKS
    return 1;
#else
    return 0;
#endif
}

amp_status amp_native_logging_set(int32_t on) {
#ifdef AMP_NATIVE_ENABLE_LOGGING
    return reported("log", nullptr, [&] {
        need(log_switch(on != 0), "log", "native log: its file cannot be opened.",
             "Name one that can be written in AMP_NATIVE_LOG.");
    });
#else
    static_cast<void>(on);
    return reported("log", nullptr, [] {
        throw Failure(AMP_E_UNSUPPORTED, "log", "native log: this library is built without it.",
                      "Build it with logging.");
    });
#endif
}

}  // extern "C"
