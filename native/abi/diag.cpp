// extern "C": what this library is.
#include "amp/diag.h"

#include "amp_source_digest.h"
#include "core/log.hpp"
#include "kernel/step.hpp"

#ifndef AMP_BUILD_INFO
#define AMP_BUILD_INFO "unknown build"
#endif

extern "C" {

uint32_t amp_abi_version(void) { return (AMP_ABI_VERSION_MAJOR << 16) | AMP_ABI_VERSION_MINOR; }

const char* amp_status_name(amp_status code) {
    static const char* const names[] = {
        "AMP_OK",        "AMP_E_INVALID_ARG", "AMP_E_SHAPE", "AMP_E_NOMEM", "AMP_E_UNSUPPORTED",
        "AMP_E_PENDING", "AMP_E_BLOB",        "AMP_E_DRIFT", "AMP_E_CYCLE", "AMP_E_NONFINITE",
        "AMP_E_THERMAL", "AMP_E_INTERNAL",    "AMP_E_FULL"};
    return code <= 0 && code >= AMP_E_FULL ? names[-code] : "AMP_E_UNKNOWN";
}

const char* amp_isa(void) { return amp::kernels() ? amp::kernels()->isa : ""; }
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
    return amp::log_switch(on != 0) ? AMP_OK : AMP_E_INVALID_ARG;
#else
    static_cast<void>(on);
    return AMP_E_UNSUPPORTED;
#endif
}

}  // extern "C"
