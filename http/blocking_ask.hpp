#pragma once

#include <vector>

#include "runtime/message.hpp"

namespace omnicart::http {

// Sends commands and blocks the calling thread until all are answered (in order), or `patience` is over: then the rest
// is base_errc::timeout. For operators' threads only; a shopper's request never waits on a thread.
std::vector<answer> ask_and_wait(message_sink& entities, std::vector<envelope> messages, duration_ms patience);

}  // namespace omnicart::http
