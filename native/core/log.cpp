#include "core/log.hpp"

#ifdef AMP_NATIVE_ENABLE_LOGGING
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace amp {

namespace {
std::mutex mutex;
std::FILE* file = nullptr;
}  // namespace

bool log_switch(bool on) {
    const std::lock_guard lock(mutex);
    if (on == (file != nullptr)) return true;
    if (!on) {
        std::fclose(file);
        file = nullptr;
        return true;
    }
    const char* path = std::getenv("AMP_NATIVE_LOG");
    file = std::fopen(path && *path ? path : "amp_native.log", "a");
    return file != nullptr;
}

void log_line(const char* format, ...) {
    const std::lock_guard lock(mutex);
    if (!file) return;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    std::fprintf(file, "%.6f ", std::chrono::duration<double>(now).count());
    va_list args;
    va_start(args, format);
    std::vfprintf(file, format, args);
    va_end(args);
    std::fputc('\n', file);
    std::fflush(file);  // the next line may never come
}

}  // namespace amp
#endif
