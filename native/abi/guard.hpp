// The boundary of the C ABI: converts every exception into a status, an amp_error and the calling thread's report.
#pragma once
#include <new>
#include <stdexcept>
#include <utility>

#include "core/failure.hpp"
#include "engine/run/floating_point.hpp"
#include "engine/runtime.hpp"

struct amp_graph_runtime {
    amp::Runtime runtime;
};

namespace amp {

inline amp_status out_of_memory(const char* stage, amp_error* error) {
    write_error(AMP_E_NOMEM, stage, "memory: the system has none left.", "Use fewer batches or shorter delays.", error);
    return AMP_E_NOMEM;
}

// Runs a call in the caller's floating-point environment.
template <class F> amp_status reported(const char* stage, amp_error* error, F&& f) {
    try {
        clear_error(error);
        f();
        return AMP_OK;
    } catch (const Failure& failure) {
        write_error(failure, error);
        return failure.code;
    } catch (const std::bad_alloc&) {
        return out_of_memory(stage, error);
    } catch (const std::length_error&) {  // a size that no container can have
        return out_of_memory(stage, error);
    } catch (...) {
        write_error(AMP_E_INTERNAL, stage, "internal error: an invariant of the library does not hold.",
                    "Please report it with the graph.", error);
        return AMP_E_INTERNAL;
    }
}

template <class F> amp_status guarded(const char* stage, amp_error* error, F&& f) {
    const FloatingPoint rounding;
    return reported(stage, error, std::forward<F>(f));
}

template <class F> amp_status guarded(const char* stage, amp_graph_runtime* rt, F&& f) {
    if (!rt) {
        write_error(AMP_E_INVALID_ARG, stage, "runtime: NULL.", "Create one.", nullptr);
        return AMP_E_INVALID_ARG;
    }
    return guarded(stage, &rt->runtime.last_error, [&] { f(rt->runtime); });
}

inline void need(bool ok, const char* stage, const char* sentence, const char* cure) {
    if (!ok) throw Failure(AMP_E_INVALID_ARG, stage, sentence, cure);
}

inline constexpr uint32_t kRunFlags = AMP_RUN_STOP_NONFINITE | AMP_RUN_HEAT | AMP_RUN_TRACE | AMP_RUN_NO_METRICS;

// Refuses bits without a meaning, so that a later version may define them.
inline void check_flags(uint32_t got, uint32_t known, const char* stage) {
    if (const uint32_t unknown = got & ~known)
        throw Failure(AMP_E_INVALID_ARG, stage,
                      text("flags: unknown bits (got 0x%x, allowed the bits of 0x%x).", got, known),
                      text("Clear 0x%x.", unknown));
}

}  // namespace amp
