#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace omnicart::ctl {

// What scripts branch on; numbers of 64 and above are those of sysexits.h. Never change one.
enum class exit_code : int {
  ok = 0,
  failed = 1,        // a law is broken, a check found something, no such record
  usage = 64,        // the command line, or a value the node refuses as malformed
  unreachable = 69,  // no node there, or it cannot answer now: a retry may help
  io = 74,           // a local file could not be read or written
  refused = 77,      // the operator's token is missing or wrong
};

// Why a command ends early: one line for the person, one number for the script.
struct failure {
  exit_code code = exit_code::failed;
  std::string what;
  std::string problem = {};  // the node's own code of it (RFC 9457, "code"); empty when it gave none
};

template <class T>
using outcome = tl::expected<T, failure>;

inline tl::unexpected<failure> fail_with(exit_code code, std::string what) {
  return tl::unexpected<failure>(failure{.code = code, .what = std::move(what)});
}

}  // namespace omnicart::ctl
