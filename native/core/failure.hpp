// Failures inside the library. They are thrown, and the ABI functions convert them to a status, an amp_error and the
// calling thread's report of violations (amp/violation.h). No exception crosses the ABI.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "amp/violation.h"
#include "core/text.hpp"

namespace amp {

// One violation. `sentence` says where and what; `cure` says what to do.
struct Violation {
    amp_status code = AMP_E_INVALID_ARG;
    std::string node, port, sentence, cure;
    std::string src;     // a link at fault that leads to `node`: the node it comes from; otherwise empty
    int64_t frames = 0;  // delay that the link lacks, in frames

    std::string line() const { return cure.empty() ? sentence : sentence + ' ' + cure; }
};

struct Failure {
    amp_status code = AMP_E_INTERNAL;
    std::string stage, node, port, message;  // `message`: all sentences and cures
    int64_t batch = -1, channel = -1, frame = -1;
    std::shared_ptr<const std::vector<Violation>> violations;  // at least one
    size_t found = 1;                                          // more than `violations` has if some were not kept

    Failure() = default;  // no failure: allocates nothing, and is not thrown

    Failure(std::string stage, Violation v)
        : code(v.code), stage(std::move(stage)), node(v.node), port(v.port), message(v.line()) {
        violations = std::make_shared<const std::vector<Violation>>(1, std::move(v));
    }

    // One violation: the sentence says what is wrong, with place, value and range, the cure what to do about it.
    // Written field by field: if a copy inside a braced list runs out of memory, gcc 12 destroys members it has not
    // constructed.
    Failure(amp_status code, std::string stage, std::string sentence, std::string cure, std::string node = "",
            std::string port = "")
        : code(code), stage(std::move(stage)), node(std::move(node)), port(std::move(port)) {
        const auto list = std::make_shared<std::vector<Violation>>(1);
        Violation& v = list->front();
        v.code = code;
        v.node = this->node;
        v.port = this->port;
        v.sentence = std::move(sentence);
        v.cure = std::move(cure);
        message = v.line();
        violations = list;
    }

    // Several violations; `found` may be more than are kept.
    Failure(std::string stage, std::vector<Violation> list, size_t found)
        : Failure(list.front().code, std::move(stage), "", "", list.front().node, list.front().port) {
        violations = std::make_shared<const std::vector<Violation>>(std::move(list));
        this->found = found;
    }
};

// Collects everything that is wrong with a graph, a schedule or a history, so that a user can correct it all at once.
class Violations {
public:
    // `lines`: how many violations the text of amp_error lists; the records list all.
    explicit Violations(const char* stage = "plan", size_t lines = 20) : stage_(stage), lines_(lines) {}

    void add(std::string sentence, std::string cure, const std::string& node, const std::string& port = "",
             amp_status code = AMP_E_INVALID_ARG) {
        ++found_;
        const size_t text = sentence.size() + cure.size() + node.size() + port.size();
        if (list_.size() == AMP_MOST_VIOLATIONS || text > kMostText - text_) return;
        text_ += text;
        list_.push_back({code, node, port, std::move(sentence), std::move(cure), "", 0});
    }
    // Throws if there are violations. `message` is the text of amp_error; if it is empty, the first `lines` violations
    // are.
    void raise(std::string message = "") {
        if (found_ == 0) return;
        const bool given = !message.empty();
        for (size_t i = 0; !given && i < list_.size() && i < lines_; ++i) message += (i ? "\n" : "") + list_[i].line();
        if (!given && lines_ > 1 && found_ > lines_) message += text("\n... and %zu more.", found_ - lines_);
        Failure f(stage_, std::move(list_), found_);
        f.message = std::move(message);
        throw f;
    }

private:
    // bytes of text that are kept: a long name may occur in many sentences
    static constexpr size_t kMostText = size_t{64} << 20;

    const char* stage_;
    size_t lines_, found_ = 0, text_ = 0;
    std::vector<Violation> list_;
};

// Write the failure to `out` (may be NULL; only its struct_size bytes are written) and to the calling thread's report.
void write_error(const Failure& failure, amp_error* out);
// Static texts; takes no memory.
void write_error(amp_status code, const char* stage, const char* sentence, const char* cure, amp_error* out);
void clear_error(amp_error* out);

// The calling thread's report: the violations of its last call that returned a status. The library owns the records.
struct Report {
    const amp_violation* records;
    size_t count, found;
};
Report report_of_thread();

}  // namespace amp
