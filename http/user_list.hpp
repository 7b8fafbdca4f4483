#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/user/user_messages.hpp"
#include "http/server/task.hpp"
#include "runtime/projection.hpp"
#include "runtime/snapshot_reader.hpp"

namespace omnicart::http {

struct user_query {
  std::optional<role> as;
  std::optional<user::user_status> status;   // active or disabled
  std::optional<timestamp_ms> created_from;  // then or later
  std::optional<timestamp_ms> created_to;    // before then
  std::string cursor;                        // from next_cursor, or of a user listed; empty: the newest
  std::size_t limit = 20;
};

struct listed_user {
  std::string id;
  std::string cursor;  // goes on behind this one
};

struct user_page {
  std::vector<listed_user> users;  // newest first
  std::string next_cursor;         // empty: that was all
};

// Which accounts there are, newest first: a projection of the user events. It knows nothing of the person: names and
// addresses are asked of the users themselves, so that who is erased is not in any list's files. A cursor names the last
// user seen, so it stays valid while users come and go. Rows (a place: list_place.hpp):
//
//   "u" user            facts: when created, role, status
//   "a" place           every account
//   "r" role place      by role, one character
//   "d" place           the disabled ones
//
// An account is listed from when its address is its own until its erasure begins. Users keep no history, so their
// snapshots are read too when the rows are made anew. A node whose copy of a shard was replaced may list users who were
// erased meanwhile, until a rebuild; they answer that they do not exist.
class user_list final : public projection, public snapshot_reader {
 public:
  // `host` outlives the list and its queries.
  void attach(projection_host& host) { host_ = &host; }

  // Refusals: base_errc::malformed for a cursor that is none; faults of the projection host.
  task<result<user_page>> page(user_query query) const;

  std::string_view name() const override { return "users"; }
  bool wants(std::string_view kind) const override { return kind == "user"; }
  void open(projection_rows&) override {}
  void apply(const entity_ref& entity, std::uint64_t version, const event_record& record,
             projection_rows& rows) override;
  void restore(const entity_ref& entity, std::string_view state, projection_rows& rows) override;

  // The query itself, on the projection's thread.
  static result<user_page> find(const user_query& query, projection_rows& rows);

 private:
  projection_host* host_ = nullptr;
};

}  // namespace omnicart::http
