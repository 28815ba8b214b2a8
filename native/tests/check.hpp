// CHECK(condition) counts, reports a failure and continues; `return check::finish("name")` ends main. A program without
// any CHECK fails.
#pragma once
#include <cstdio>

namespace check {

inline long made = 0, failed = 0;

inline bool that(bool ok, const char* what, const char* file, int line) {
    ++made;
    if (!ok && ++failed <= 20) std::fprintf(stderr, "%s:%d: CHECK(%s) failed\n", file, line, what);
    return ok;
}

inline int finish(const char* name) {
    std::printf("%s: %ld checks, %ld failed\n", name, made, failed);
    return made > 0 && failed == 0 ? 0 : 1;
}

}  // namespace check

#define CHECK(...) ::check::that(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)
