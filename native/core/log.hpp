// Native logging. Only the diagnostics flavour compiles it (AMP_NATIVE_ENABLE_LOGGING); in others AMP_LOG does nothing,
// its arguments are not evaluated, and no file is opened.
#pragma once

#ifdef AMP_NATIVE_ENABLE_LOGGING
#include "core/text.hpp"

namespace amp {
void log_line(const std::string& line);  // thread-safe; does nothing while logging is off
bool log_switch(bool on);                // returns false if the file cannot be opened
}  // namespace amp
#define AMP_LOG(...) ::amp::log_line(::amp::text(__VA_ARGS__))
#else
#define AMP_LOG(...) static_cast<void>(0)
#endif
