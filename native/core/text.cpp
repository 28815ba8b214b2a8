#include "core/text.hpp"

#include <charconv>
#include <cstring>

namespace amp {

namespace {

constexpr size_t kLongest = 64;  // characters of a number; a double with 17 digits needs 24

void put(std::string& out, const TextArgument& a, const TextConversion& c) {
    if (a.kind == TextArgument::kString) {
        out += a.string ? a.string : "(null)";
        return;
    }
    char digits[kLongest];
    std::to_chars_result r{};
    const int base = c.type == 'x' ? 16 : 10;
    if (a.kind == TextArgument::kReal)
        r = std::to_chars(digits, digits + kLongest, a.real, std::chars_format::general, c.precision);
    else if (a.kind == TextArgument::kSigned)
        r = std::to_chars(digits, digits + kLongest, a.integer, base);
    else
        r = std::to_chars(digits, digits + kLongest, a.natural, base);
    const auto size = static_cast<size_t>(r.ptr - digits), width = static_cast<size_t>(c.width);
    if (size < width) out.append(width - size, c.zeros ? '0' : ' ');
    out.append(digits, size);
}

}  // namespace

std::string text_of(const char* format, const TextArgument* arguments) {
    std::string out;
    while (const char* percent = std::strchr(format, '%')) {
        out.append(format, percent);
        if (percent[1] == '%') {
            out += '%';
            format = percent + 2;
            continue;
        }
        const TextConversion c = TextConversion::parse(percent + 1);
        put(out, *arguments++, c);
        format = c.end;
    }
    return out += format;
}

}  // namespace amp
