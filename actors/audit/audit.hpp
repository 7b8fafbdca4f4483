#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/audit/audit_messages.hpp"

// The rules of the audit log. All functions are pure.
namespace omnicart::audit {

inline constexpr std::size_t credential_bytes_max = 200;
inline constexpr std::size_t action_bytes_max = 500;
inline constexpr std::size_t request_id_bytes_max = 128;

struct begun {
  std::uint64_t action = 0;  // counts beginnings, from 1
  timestamp_ms at;
  std::string credential;
  role as = role::guest;
  std::string what;
  std::string request_id;
  std::string digest;
  OMNICART_FIELDS(action, at, credential, as, what, request_id, digest)
};
struct ended {
  std::uint64_t action = 0;
  timestamp_ms at;
  std::uint32_t status = 0;
  std::string digest;
  OMNICART_FIELDS(action, at, status, digest)
};
using event = std::variant<begun, ended>;
using events = std::vector<event>;

struct state {
  std::uint64_t entries = 0;
  std::uint64_t action = 0;
  std::string head;
  friend bool operator==(const state&, const state&) = default;
  OMNICART_FIELDS(entries, action, head)
};

// Refusals: begin, end: forbidden (not from the engine); end: no_such_action.
result<events> decide(const state& s, const command& what, const context& ctx);
void apply(state& s, const event& what);
void check(const state& s);

// BLAKE2b-256 (RFC 7693) in hexadecimal over the digest of the entry before, the entry's number in
// the log (from 1) and every member of it but its own digest, each with its length.
std::string digest_of(std::string_view before, std::uint64_t entry, const begun& what);
std::string digest_of(std::string_view before, std::uint64_t entry, const ended& what);

// Walks the log from its first entry and finds the first that is not as it was written.
class chain_check {
 public:
  // False: this entry, or the one before it, was changed. After that nothing is looked at any more.
  bool take(const event& next);
  std::uint64_t entries() const { return entries_; }
  const std::string& head() const { return head_; }
  bool sound() const { return sound_; }

 private:
  std::uint64_t entries_ = 0;
  std::uint64_t action_ = 0;
  std::string head_;
  bool sound_ = true;
};

}  // namespace omnicart::audit
