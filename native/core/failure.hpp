// Failures inside the library: thrown here, turned into a status and an amp_error record at the ABI. None crosses it.
#pragma once
#include <cstdint>
#include <string>

#include "amp/status.h"
#include "core/text.hpp"

namespace amp {

struct Failure {
    amp_status code = AMP_E_INTERNAL;
    std::string stage, node, port, message;
    int64_t batch = -1, channel = -1, frame = -1;

    Failure(amp_status code, std::string stage, std::string message, std::string node = "", std::string port = "")
        : code(code),
          stage(std::move(stage)),
          node(std::move(node)),
          port(std::move(port)),
          message(std::move(message)) {}
};

void write_error(const Failure& failure, amp_error* out);  // accepts NULL; respects struct_size
void write_error(amp_status code, const char* stage, const char* message, amp_error* out);  // allocates nothing
void clear_error(amp_error* out);

}  // namespace amp
