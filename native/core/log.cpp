#include "core/log.hpp"

#ifdef AMP_NATIVE_ENABLE_LOGGING
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace amp {

namespace {
std::mutex mutex;
std::FILE* file = nullptr;
}  // namespace

std::atomic<bool> log_is_on{false};

bool log_switch(bool on) {
    const std::lock_guard lock(mutex);
    if (on == (file != nullptr)) return true;
    if (!on) {
        std::fclose(file);
        file = nullptr;
        log_is_on = false;
        return true;
    }
    const char* path = std::getenv("AMP_NATIVE_LOG");
    file = std::fopen(path && *path ? path : "amp_native.log", "a");
    log_is_on = file != nullptr;
    return log_is_on;
}

void log_line(const std::string& line) {
    const std::lock_guard lock(mutex);
    if (!file) return;
    using std::chrono::microseconds;
    const auto now = std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now().time_since_epoch());
    const std::string stamped =
        text("%lld.%06lld %s\n", now.count() / 1'000'000, now.count() % 1'000'000, line.c_str());
    std::fwrite(stamped.data(), 1, stamped.size(), file);
    std::fflush(file);  // flushed now: the process may crash before the next line
}

}  // namespace amp
#endif
