#include "http/promotion_list.hpp"

#include "http/server/async_reply.hpp"

namespace omnicart::http {
namespace {

std::string row_of(const std::string& kind, const std::string& code) { return kind + '\0' + code; }

}  // namespace

// The first event of either kind defines it; nothing ever ends one.
void promotion_list::apply(const entity_ref& entity, std::uint64_t version, const event_record&,
                           projection_rows& rows) {
  if (version == 1) rows.put(row_of(entity.kind, entity.id), "");
}

task<result<promotion_page>> promotion_list::page(std::string kind, std::string cursor,
                                                  std::size_t limit) const {
  co_return co_await async_reply<result<promotion_page>>([&](auto done) {
    host_->query(
        name(),
        [kind, cursor, limit, done](projection_rows& rows) {
          promotion_page page;
          const std::string first = row_of(kind, "");
          const std::string from = cursor.empty() ? first : first + cursor + '\0';
          rows.scan(from, kind + '\1', [&](std::string_view key, std::string_view) {
            page.codes.emplace_back(key.substr(first.size()));
            return page.codes.size() <= limit;
          });
          if (page.codes.size() > limit) {
            page.codes.pop_back();
            page.next_cursor = page.codes.back();
          }
          done(std::move(page));
        },
        [done](error why) { done(fail(std::move(why))); });
  });
}

}  // namespace omnicart::http
