// text(): writes the same characters as printf in the C locale, which this program uses.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "check.hpp"
#include "core/text.hpp"

namespace {

using amp::text;

std::string printed(const char* format, double v) {
    char s[64];
    std::snprintf(s, sizeof s, format, v);
    return s;
}

void same_as_printf() {
    uint64_t bits = 88172645463325252ull;  // xorshift64: doubles of every exponent, with NaNs and denormals
    for (int i = 0; i < 100'000; ++i) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double v;
        std::memcpy(&v, &bits, sizeof v);
        CHECK(text("%g", v) == printed("%g", v) && text("%.17g", v) == printed("%.17g", v));
        const double plain = static_cast<double>(bits % 2'000'001) / 1000.0 - 1000.0;
        CHECK(text("%g", plain) == printed("%g", plain) && text("%.17g", plain) == printed("%.17g", plain));
    }
    using Limits = std::numeric_limits<double>;
    for (const double v : {0.0, -0.0, 1.0, 0.1, 1e5, 1e6, 123456789.0, 1e-4, 1e-5, Limits::max(), Limits::denorm_min(),
                           Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), -Limits::quiet_NaN()})
        CHECK(text("%g", v) == printed("%g", v) && text("%.17g", v) == printed("%.17g", v));
}

void other_conversions() {
    constexpr int64_t least = std::numeric_limits<int64_t>::min();
    constexpr uint64_t most = std::numeric_limits<uint64_t>::max();
    CHECK(text("%lld %llu %d %u", least, most, -7, 7u) == "-9223372036854775808 18446744073709551615 -7 7");
    CHECK(text("%016llx %04x %x", uint64_t{0xabc}, 0xau, 0u) == "0000000000000abc 000a 0");
    CHECK(text("100%% of %s, %zu", "it", sizeof(int64_t)) == "100% of it, 8");
    CHECK(text("%s", static_cast<const char*>(nullptr)) == "(null)" && text("") == "" && text("plain") == "plain");
    const std::string name = "a name with % and %s in it";
    CHECK(text("%s.", name.c_str()) == name + ".");
}

void lists_of_names() {
    const auto names = [](int n) {
        std::vector<int> numbers(static_cast<size_t>(n));
        std::iota(numbers.begin(), numbers.end(), 0);
        return amp::listed(numbers, [](int i) { return text("n%d", i); });
    };
    CHECK(names(0) == "none" && names(1) == "n0" && names(3) == "n0, n1, n2");
    CHECK(names(20).ends_with("n18, n19") && names(25).ends_with("n18, n19 and 5 more"));
}

}  // namespace

int main() {
    same_as_printf();
    other_conversions();
    lists_of_names();
    return check::finish("text");
}
