// The border: no exception crosses it; every failure becomes a status and an amp_error.
#pragma once
#include <new>

#include "core/failure.hpp"
#include "engine/runtime.hpp"

struct amp_graph_runtime {
    amp::Runtime runtime;
};

namespace amp {

template <class F>
amp_status guarded(const char* stage, amp_error* error, F&& f) {
    try {
        clear_error(error);
        f();
        return AMP_OK;
    } catch (const Failure& failure) {
        write_error(failure, error);
        return failure.code;
    } catch (const std::bad_alloc&) {
        write_error({AMP_E_NOMEM, stage, "memory: the system has none left. Use fewer batches or shorter delays."}, error);
        return AMP_E_NOMEM;
    } catch (...) {
        write_error({AMP_E_INTERNAL, stage, "internal error: an invariant of the library does not hold. Please report it with the graph."}, error);
        return AMP_E_INTERNAL;
    }
}

template <class F>
amp_status guarded(const char* stage, amp_graph_runtime* rt, F&& f) {
    if (!rt) return AMP_E_INVALID_ARG;
    return guarded(stage, &rt->runtime.last_error, [&] { f(rt->runtime); });
}

inline void need(bool ok, const char* stage, const char* what) {
    if (!ok) throw Failure(AMP_E_INVALID_ARG, stage, what);
}

}  // namespace amp
