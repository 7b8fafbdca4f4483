#pragma once

#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/message.hpp"

namespace omnicart::http {

// How long an operator's question to one record, or to one list, may take.
inline constexpr duration_ms operator_patience{10'000};

// Sends commands and blocks the calling thread until all are answered (in order), or `patience` is over: then the rest
// is base_errc::timeout. For operators' threads only; a shopper's request never waits on a thread.
std::vector<answer> ask_and_wait(message_sink& entities, std::vector<envelope> messages, duration_ms patience);

}  // namespace omnicart::http
