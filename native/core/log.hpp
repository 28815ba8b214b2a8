// Native logging, compiled in by the diagnostics flavour only (AMP_NATIVE_ENABLE_LOGGING): elsewhere AMP_LOG is
// nothing, its arguments are not evaluated, and no file is ever opened.
#pragma once

#ifdef AMP_NATIVE_ENABLE_LOGGING
#include "core/text.hpp"

namespace amp {
void log_line(const std::string& line);  // thread-safe; nothing while switched off
bool log_switch(bool on);                // false: the file cannot be opened
}  // namespace amp
#define AMP_LOG(...) ::amp::log_line(::amp::text(__VA_ARGS__))
#else
#define AMP_LOG(...) static_cast<void>(0)
#endif
