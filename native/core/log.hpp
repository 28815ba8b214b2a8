// Native logging. Only the diagnostics flavour compiles it (AMP_NATIVE_ENABLE_LOGGING); in others AMP_LOG does nothing,
// its arguments are not evaluated, and no file is opened.
#pragma once

#ifdef AMP_NATIVE_ENABLE_LOGGING
#include <atomic>

#include "core/text.hpp"

namespace amp {
extern std::atomic<bool> log_is_on;
void log_line(const std::string& line);  // thread-safe; does nothing while logging is off
bool log_switch(bool on);                // returns false if the file cannot be opened
}  // namespace amp
// While logging is off a line is not made: nothing is allocated.
#define AMP_LOG(...)                                                                                                   \
    (::amp::log_is_on.load(std::memory_order_relaxed) ? ::amp::log_line(::amp::text(__VA_ARGS__))                      \
                                                      : static_cast<void>(0))
#else
#define AMP_LOG(...) static_cast<void>(0)
#endif
