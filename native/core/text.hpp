// Formats texts of messages and plans. Like printf with %s %d %u %x %g, but independent of the C locale: the decimal
// point is always a point, so that JSON of plans can be parsed and stored texts compare equal everywhere. Formats are
// checked against their argument types at compile time.
#pragma once
#include <concepts>
#include <cstdint>
#include <iterator>
#include <string>
#include <type_traits>

namespace amp {

// One argument of text(): a signed or unsigned integer, a double or a string.
struct TextArgument {
    enum Kind : uint8_t { kSigned, kUnsigned, kReal, kString };
    Kind kind;
    union {
        int64_t integer;
        uint64_t natural;
        double real;
        const char* string;
    };
    TextArgument(std::signed_integral auto v) : kind(kSigned), integer(v) {}
    TextArgument(std::unsigned_integral auto v) : kind(kUnsigned), natural(v) {}
    TextArgument(double v) : kind(kReal), real(v) {}
    TextArgument(const char* v) : kind(kString), string(v) {}  // NULL is written as (null)
    template <class E>
        requires std::is_enum_v<E>
    TextArgument(E v) : TextArgument(static_cast<std::underlying_type_t<E>>(v)) {}
};

// A conversion: %[0][width][.precision][ll|z|t]conversion. Width and leading zeros apply to integers, precision to %g
// (6 if not given).
struct TextConversion {
    char type = 0;  // one of s d u x g; 0: invalid
    bool zeros = false;
    int width = 0, precision = 6;
    const char* end = nullptr;  // first character after the conversion

    static constexpr TextConversion parse(const char* p) {  // p points after the %
        TextConversion c;
        const auto number = [&p](int n) {
            while (*p >= '0' && *p <= '9') n = 10 * n + (*p++ - '0');
            return n;
        };
        if (*p == '0') c.zeros = true, ++p;
        c.width = number(0);
        if (*p == '.') c.precision = number((++p, 0));
        while (*p == 'l' || *p == 'z' || *p == 't') ++p;
        if (*p == 's' || *p == 'd' || *p == 'u' || *p == 'x' || *p == 'g') c.type = *p++;
        c.end = p;
        return c;
    }
};

// A format for these argument types; a format that does not fit them does not compile.
template <class... A> struct TextFormat {
    const char* format;
    consteval TextFormat(const char* f) : format(f) {
        constexpr char wanted[] = {kind<std::decay_t<A>>()..., '\0'};
        size_t k = 0;
        for (const char* p = f; *p;) {
            if (*p++ != '%') continue;
            if (*p == '%') {
                ++p;
                continue;
            }
            const TextConversion c = TextConversion::parse(p);
            const char is = c.type == 's' || c.type == 'g' ? c.type : c.type ? 'd' : '?';
            if (k >= sizeof...(A) || is != wanted[k++]) throw "the conversion does not fit its argument";
            p = c.end;
        }
        if (k != sizeof...(A)) throw "an argument has no conversion";
    }

private:
    template <class T> static consteval char kind() {
        if constexpr (std::is_floating_point_v<T>) return 'g';
        if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) return 'd';
        return 's';
    }
};

std::string text_of(const char* format, const TextArgument* arguments);

template <class... A> std::string text(TextFormat<std::type_identity_t<A>...> f, const A&... a) {
    const TextArgument arguments[] = {a..., ""};
    return text_of(f.format, arguments);
}

// Names for an error: "a, b, c", of very many the first and how many more there are; "none" if there are none.
template <class Range, class Name> std::string listed(const Range& range, const Name& name) {
    constexpr size_t kMost = 20;
    std::string s;
    size_t n = 0;
    for (const auto& one : range) {
        if (n++ == kMost) return s + text(" and %zu more", std::size(range) - kMost);
        s += (n > 1 ? ", " : "") + std::string(name(one));
    }
    return n ? s : "none";
}

}  // namespace amp
