#include "http/record_list.hpp"

#include "actors/location/location.hpp"
#include "http/server/async_reply.hpp"

namespace omnicart::http {
namespace {

constexpr std::string_view closed_mark = "closed";

std::string row_of(const std::string& kind, const std::string& id) { return kind + '\0' + id; }

}  // namespace

// The first event of each kind makes the record. Nothing ever ends one; a location may close.
void record_list::apply(const entity_ref& entity, std::uint64_t version, const event_record& record,
                        projection_rows& rows) {
  if (entity.kind != "location") {
    if (version == 1) rows.put(row_of(entity.kind, entity.id), "");
    return;
  }
  const auto event = location::decode_event(record.event);
  if (!event) return;
  const bool closes = std::holds_alternative<location::closed>(*event);
  rows.put(row_of(entity.kind, entity.id), std::string(closes ? closed_mark : ""));
}

task<result<record_page>> record_list::page(std::string kind, std::string cursor, std::size_t limit,
                                            listed which) const {
  co_return co_await async_reply<result<record_page>>([&](auto done) {
    host_->query(
        name(),
        [kind, cursor, limit, which, done](projection_rows& rows) {
          record_page page;
          const std::string first = row_of(kind, "");
          const std::string from = cursor.empty() ? first : first + cursor + '\0';
          rows.scan(from, kind + '\1', [&](std::string_view key, std::string_view mark) {
            if (which == listed::open && mark == closed_mark) return true;
            page.ids.emplace_back(key.substr(first.size()));
            return page.ids.size() <= limit;
          });
          if (page.ids.size() > limit) {
            page.ids.pop_back();
            page.next_cursor = page.ids.back();
          }
          done(std::move(page));
        },
        [done](error why) { done(fail(std::move(why))); });
  });
}

}  // namespace omnicart::http
